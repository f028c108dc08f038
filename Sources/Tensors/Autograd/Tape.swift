// Reverse-mode differentiation on a flat tape.
//
// Operations append a node to a tape; backward() walks it from the end and frees what it used. A
// tape belongs to one connected graph: leaves have none, the first operation on leaves starts one,
// an operation on two tapes joins them. It is kept alive by the tensors recorded on it, so a graph
// whose tensors are dropped is freed, iteratively and whole.

/// The position of a tensor on a tape.
struct TapeRecord {
  let tape: Tape
  let index: Int

  /// The position after tapes were joined.
  func resolved() -> TapeRecord {
    var tape = tape
    var index = index
    while let (next, shift) = tape.joined {
      tape = next
      index += shift
    }
    return TapeRecord(tape: tape, index: index)
  }
}

final class Tape {
  enum Input {
    case none
    case leaf(Tensor)
    case node(Int)
  }

  struct Node {
    let name: String
    var inputs: [Input]
    var backward: Backward?
    let style: GradientStyle
    let count: Int
    weak var output: Tensor?
  }

  var nodes: [Node] = []
  /// Set when this tape was appended to another one, with the shift of its indices.
  var joined: (Tape, Int)?
  private var compactAt = 4096
  /// Nodes ever recorded: unlike those alive they do not depend on a collector's timing, which must
  /// not decide the order in which gradients are added.
  private var recorded = 0

  /// Appends `other`, whose nodes do not depend on ours.
  private func join(_ other: Tape) {
    let shift = nodes.count
    for var node in other.nodes {
      node.inputs = node.inputs.map { if case .node(let i) = $0 { .node(i + shift) } else { $0 } }
      nodes.append(node)
    }
    recorded += other.recorded
    other.nodes = []
    other.joined = (self, shift)
  }

  /// The tape of `inputs`, the shorter joined to the longer: a sum of n graphs takes n log n
  /// however it is written.
  private static func home(of inputs: [Tensor]) -> Tape {
    var home: Tape?
    for case let record? in inputs.lazy.map(\.record) {
      let tape = record.resolved().tape
      guard let other = home, other !== tape else {
        home = tape
        continue
      }
      let (long, short) = other.recorded < tape.recorded ? (tape, other) : (other, tape)
      long.join(short)
      home = long
    }
    return home ?? Tape()
  }

  static func append(
    _ name: String, inputs: [Tensor], output: Tensor, style: GradientStyle,
    backward: @escaping Backward
  ) {
    let tape = home(of: inputs)
    let sources = inputs.map { input -> Input in
      if let record = input.record?.resolved() { return .node(record.index) }
      return input.isParameter ? .leaf(input) : .none
    }
    tape.nodes.append(
      Node(
        name: name, inputs: sources, backward: backward, style: style, count: output.count,
        output: output))
    tape.recorded += 1
    output.record = TapeRecord(tape: tape, index: tape.nodes.count - 1)
    if tape.nodes.count >= tape.compactAt { tape.compact() }
  }

  /// Drops nodes that no living tensor depends on, so that the memory of a loop that drops its
  /// results does not grow.
  private func compact() {
    var needed = [Bool](repeating: false, count: nodes.count)
    for index in nodes.indices.reversed() {
      if nodes[index].output != nil { needed[index] = true }
      if needed[index] {
        for case .node(let input) in nodes[index].inputs { needed[input] = true }
      } else {
        // The closure may hold the last reference to an earlier result.
        nodes[index].backward = nil
      }
    }
    var place = [Int](repeating: -1, count: nodes.count)
    var remaining: [Node] = []
    for (index, var node) in nodes.enumerated() where needed[index] {
      node.inputs = node.inputs.map { if case .node(let i) = $0 { .node(place[i]) } else { $0 } }
      place[index] = remaining.count
      node.output?.record = TapeRecord(tape: self, index: remaining.count)
      remaining.append(node)
    }
    nodes = remaining
    compactAt = max(4096, remaining.count * 2)
  }
}

/// Whether operations are recorded; see `withoutGradients`.
nonisolated(unsafe) private var recording = true

/// Runs `body` without recording: results need no gradient and nothing is kept for backward().
public func withoutGradients<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
  let before = recording
  recording = false
  defer { recording = before }
  return try body()
}

/// Runs `body` with recording on, inside `withoutGradients` or not: for operations that recompute
/// in backward().
public func withGradients<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
  let before = recording
  recording = true
  defer { recording = before }
  return try body()
}

extension Tensor {
  /// Whether an operation on `inputs` will be recorded, so that it need only keep what backward()
  /// uses when it is.
  public static func records(_ inputs: Tensor...) -> Bool { records(inputs) }

  /// Whether an operation on `inputs` will be recorded.
  public static func records(_ inputs: [Tensor]) -> Bool {
    recording && inputs.contains { $0.requiresGradient }
  }

  /// `records` for one tensor, without the cost of a list.
  static func records(_ input: Tensor) -> Bool { recording && input.requiresGradient }

  /// `records` for two tensors, without the cost of a list.
  static func records(_ a: Tensor, _ b: Tensor) -> Bool {
    recording && (a.requiresGradient || b.requiresGradient)
  }

  /// Returns `output` after recording, where one of `inputs` needs a gradient, how to pass its
  /// gradient on.
  ///
  /// What is recorded is a view of `output`, so `backward` may keep `output` itself. Of the inputs
  /// it must keep
  /// `detached()` ones or `SavedValues`: the tape holds `backward`, and an input holds the tape.
  public static func recorded(
    _ name: String, _ inputs: [Tensor], _ output: Tensor, style: GradientStyle = [],
    _ backward: @escaping Backward
  ) -> Tensor {
    guard recording, inputs.contains(where: { $0.requiresGradient }) else { return output }
    let result = output.detached()
    Tape.append(name, inputs: inputs, output: result, style: style, backward: backward)
    return result
  }

  /// Adds d self / d leaf to the gradient of every leaf that self depends on, and frees the graph
  /// it walked.
  ///
  /// - Parameters:
  ///   - seed: d loss / d self, of the shape of self; by default 1, which needs a tensor of one
  ///     element.
  ///   - retainGraph: keep the graph for another backward().
  /// - Throws: `TensorError` if self has several elements and no seed, is not part of a graph, or
  ///   its graph was freed.
  public func backward(seed: Tensor? = nil, retainGraph: Bool = false) throws {
    if let seed, seed.shape != shape {
      throw TensorError.gradientShape(seed.shape, tensor: shape)
    }
    guard seed != nil || count == 1 else {
      throw TensorError.notOneElement(operation: "backward", shape: shape)
    }
    guard let record = record?.resolved() else {
      guard isParameter else { throw TensorError.noGraph }
      try accumulate(seed)
      return
    }
    try record.tape.backward(from: record.index, seed: seed, retainGraph: retainGraph)
  }

  private func accumulate(_ seed: Tensor?) throws(TensorError) {
    let gradient = try gradientForAccumulation()
    for i in 0..<count { gradient.pointer[i] += seed?.pointer[i] ?? 1 }
  }
}
