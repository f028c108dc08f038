import Glibc
import Kernels

// New tensors from numbers, from rules and from random streams. Shapes come from scripts and are
// checked.

extension Tensor {
  /// Zeros of the given shape.
  public static func zeros(_ shape: [Int]) throws(TensorError) -> Tensor {
    try zeroResult(shape, for: "zeros")
  }

  /// Ones of the given shape.
  public static func ones(_ shape: [Int]) throws(TensorError) -> Tensor {
    let tensor = try result(shape, for: "ones")
    try tensor.pointer.fill(1, count: tensor.count)
    return tensor
  }

  /// A tensor filled with `value`.
  public static func full(_ shape: [Int], _ value: Float) throws(TensorError) -> Tensor {
    let tensor = try result(shape, for: "full")
    try tensor.pointer.fill(value, count: tensor.count)
    return tensor
  }

  /// Numbers from [0, 1), evenly distributed; element i is draw i of `stream`, which moves on.
  public static func rand(
    _ shape: [Int], from stream: inout RandomStream
  ) throws(TensorError) -> Tensor {
    let tensor = try result(shape, for: "rand")
    // 24 bits, so that rounding to a float cannot reach 1.
    try tensor.fill(from: &stream) { Float(($0.uniform() * 0x1p24).rounded(.down)) * 0x1p-24 }
    return tensor
  }

  /// Standard normal numbers; element i is draw i of `stream`, which moves on.
  public static func randn(
    _ shape: [Int], from stream: inout RandomStream
  ) throws(TensorError) -> Tensor {
    let tensor = try result(shape, for: "randn")
    try tensor.fill(from: &stream) { Float($0.normal()) }
    return tensor
  }

  private func fill(
    from stream: inout RandomStream, _ draw: (inout RandomStream) -> Float
  ) throws(TensorError) {
    let (start, target) = (stream, pointer)
    try Team.shared.forEachUntilStopped(count, atLeast: 2048) { range in
      var part = start
      part.position = start.position &+ UInt64(range.lowerBound)
      for i in range { target[i] = draw(&part) }
    }
    stream.position &+= UInt64(count)
  }

  /// The numbers start, start + step, … up to and excluding `end`.
  public static func arange(
    _ start: Double, _ end: Double, _ step: Double = 1
  ) throws(TensorError) -> Tensor {
    guard start.isFinite, end.isFinite, step.isFinite, step != 0 else {
      throw .arangeNumbers(start: start, end: end, step: step)
    }
    let count = ((end - start) / step).rounded(.up)
    guard count >= 0 else { throw .arangeDirection(start: start, end: end, step: step) }
    guard count < 0x1p48 else { throw .arangeCount(start: start, end: end, step: step) }
    let tensor = try result([Int(count)], for: "arange")
    let target = tensor.pointer
    try forEachBlock(tensor.count) { range in
      for i in range { target[i] = Float(start + Double(i) * step) }
    }
    return tensor
  }

  /// The only element; throws if there are none or several.
  public func item() throws(TensorError) -> Float {
    guard count == 1 else {
      throw .notOneElement(operation: "item", shape: shape)
    }
    return pointer[0]
  }
}

/// Builds a tensor from nested lists, visited in order: `open` a list, `append` its numbers,
/// `close` it.
///
/// Lists on one level must have the same length: `tensor: list [2] has 3 elements, expected 2`.
public struct TensorBuilder {
  private var values: [Float] = []
  private var shape: [Int] = []
  /// How many elements the open lists have so far, outermost first.
  private var open: [Int] = []
  private var isComplete = false

  /// A builder that has seen nothing.
  public init() {}

  /// Begins a list of `count` elements.
  public mutating func open(count: Int) throws(TensorError) {
    guard open.count < 64 else { throw .list(.tooDeep) }
    let isFirst = open.count == shape.count && values.isEmpty
    guard isFirst || (open.count < shape.count && !isComplete) else {
      throw .list(.listForNumber(place: open))
    }
    if isFirst { shape.append(count) }
    guard shape[open.count] == count else {
      throw .list(.length(place: open, count, expected: shape[open.count]))
    }
    open.append(0)
  }

  /// Adds a number to the list that is open; without one it is the whole tensor.
  public mutating func append(_ value: Float) throws(TensorError) {
    guard open.count <= shape.count, !isComplete else {
      throw .list(.tooManyValues)
    }
    guard open.count == shape.count else {
      throw .list(.numberForList(place: open, count: shape[open.count]))
    }
    values.append(value)
    advance()
  }

  /// Ends the list that was opened last.
  public mutating func close() {
    if open.popLast() != nil { advance() }
  }

  /// The tensor.
  public func finish() throws(TensorError) -> Tensor {
    let tensor = try Tensor.result(shape, for: "tensor")
    guard isComplete, tensor.count == values.count else {
      throw .list(.count(values.count, expected: tensor.count))
    }
    try values.withUnsafeBufferPointer { values throws(TensorError) in
      guard let start = values.baseAddress else { return }
      try tensor.pointer.copy(start, count: values.count)
    }
    return tensor
  }

  private mutating func advance() {
    if open.isEmpty { isComplete = true } else { open[open.count - 1] += 1 }
  }
}
