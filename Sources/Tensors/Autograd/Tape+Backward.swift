import Core
import Kernels

// backward(): walks the tape from its end; each operation passes its gradient on to the buffers of
// its inputs.

/// What the gradient of an operation does: given d loss / d output, it adds to the buffers of the
/// inputs.
///
/// `into[i]` is the buffer of input i, or nil where that input needs no gradient. Buffers already
/// hold what other operations added: always add, never assign, unless the operation has another
/// `GradientStyle`.
public typealias Backward = (_ gradient: UnsafePointer<Float>, _ into: InputGradients) throws ->
  Void

/// How an operation fills the buffers of its inputs; by default it adds to each of them.
public struct GradientStyle: OptionSet, Sendable {
  /// A bit for each element.
  public let rawValue: Int
  /// A set of the elements whose bits are set.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// It overwrites uninitialised buffers (`InputGradients.isEmpty`), so that they need no zeros
  /// first, and adds to the others.
  public static let writing = GradientStyle(rawValue: 1)
  /// The gradient of input 0 is that of the output: it is forwarded without calling the operation,
  /// which gets no buffer for it.
  public static let passing = GradientStyle(rawValue: 2)
  /// It records a graph of its own and runs backward() on it, which adds to the leaves among its
  /// inputs; it gets no buffers.
  public static let nesting = GradientStyle(rawValue: 4)
}

/// The accumulation buffers of one operation's inputs.
public struct InputGradients {
  fileprivate(set) var buffers: [UnsafeMutablePointer<Float>?] = []
  fileprivate(set) var empty: [Bool] = []

  /// The buffer of input `index`, or nil where no gradient is needed.
  public subscript(index: Int) -> UnsafeMutablePointer<Float>? { buffers[index] }

  /// Whether the buffer of input `index` is uninitialised; only with `GradientStyle.writing`.
  public func isEmpty(_ index: Int) -> Bool { empty[index] }

  /// Fills the buffer of input `index` with zeros if it is uninitialised.
  func clearIfEmpty(_ index: Int, count: Int) {
    if empty[index], let buffer = buffers[index] { buffer.update(repeating: 0, count: count) }
  }

  /// The buffer of input `index` from an element on, as kernels take it.
  func buffer(_ index: Int, from start: Int = 0) -> GradientBuffer? {
    buffers[index].map { GradientBuffer($0 + start, adds: !empty[index]) }
  }

  fileprivate mutating func append(_ buffer: UnsafeMutablePointer<Float>?, isEmpty: Bool = false) {
    buffers.append(buffer)
    empty.append(isEmpty)
  }
}

extension Tape {
  func backward(from last: Int, seed: Tensor?, retainGraph: Bool) throws {
    var gradients = [Storage?](repeating: nil, count: last + 1)
    let start = try Storage(count: nodes[last].count, for: "backward")
    if let seed {
      try start.pointer.copy(seed.pointer, count: seed.count)
    } else {
      try start.pointer.fill(1, count: start.count)
    }
    gradients[last] = start
    for index in (0...last).reversed() {
      guard let gradient = gradients[index] else { continue }
      try Interrupt.check()
      gradients[index] = nil
      try step(index, gradient, &gradients)
      if !retainGraph {
        nodes[index].backward = nil
        nodes[index].inputs = []
      }
    }
  }

  private func step(_ index: Int, _ gradient: Storage, _ gradients: inout [Storage?]) throws {
    let node = nodes[index]
    guard let backward = node.backward else {
      throw TensorError.graphFreed(operation: node.name)
    }
    let passes = node.style.contains(.passing)
    let nests = node.style.contains(.nesting)
    var into = InputGradients()
    do {
      for (place, input) in node.inputs.enumerated() {
        if nests || passes && place == 0 {
          into.append(nil)
        } else {
          let writes = node.style.contains(.writing) && !node.repeats(input)
          try append(input, writes: writes, to: &into, &gradients)
        }
      }
      try backward(gradient.pointer, into)
    } catch {
      forgetUnwritten(node, into)
      throw error
    }
    if passes, let first = node.inputs.first { try pass(gradient, to: first, &gradients) }
  }

  /// Removes uninitialised gradients of leaves after an operation failed.
  private func forgetUnwritten(_ node: Node, _ into: InputGradients) {
    for (input, isEmpty) in zip(node.inputs, into.empty) where isEmpty {
      if case .leaf(let tensor) = input { tensor.clearGradient() }
    }
  }

  /// Appends the buffer of an input, filled with zeros unless the operation writes it.
  private func append(
    _ input: Input, writes: Bool, to into: inout InputGradients, _ gradients: inout [Storage?]
  ) throws {
    switch input {
    case .none: into.append(nil)
    case .leaf(let tensor):
      let isEmpty = writes && tensor.gradient == nil
      into.append(
        try tensor.gradientForAccumulation(zeros: !isEmpty).pointer, isEmpty: isEmpty)
    case .node(let source):
      if let buffer = gradients[source] { return into.append(buffer.pointer) }
      let buffer = try Storage(count: nodes[source].count, for: "backward")
      if !writes { try buffer.pointer.fill(0, count: buffer.count) }
      gradients[source] = buffer
      into.append(buffer.pointer, isEmpty: writes)
    }
  }

  /// Moves the gradient of an operation to its input, or adds it to the input's.
  private func pass(_ gradient: Storage, to input: Input, _ gradients: inout [Storage?]) throws {
    switch input {
    case .none: break
    case .leaf(let tensor):
      try add(gradient.pointer, to: tensor.gradientForAccumulation().pointer, gradient.count)
    case .node(let source):
      if let buffer = gradients[source] {
        try add(gradient.pointer, to: buffer.pointer, gradient.count)
      } else {
        gradients[source] = gradient
      }
    }
  }

  private func add(
    _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, _ count: Int
  ) throws(TensorError) {
    try forElements(count) { Kernels.add(x + $0.lowerBound, to: y + $0.lowerBound, $0.count) }
  }
}

extension Tape.Node {
  /// Whether an input is among the inputs more than once.
  fileprivate func repeats(_ input: Tape.Input) -> Bool {
    inputs.count { $0.isSame(as: input) } > 1
  }
}

extension Tape.Input {
  fileprivate func isSame(as other: Tape.Input) -> Bool {
    switch (self, other) {
    case (.node(let mine), .node(let others)): mine == others
    case (.leaf(let mine), .leaf(let others)): mine === others
    default: false
    }
  }
}
