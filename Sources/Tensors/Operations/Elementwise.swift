import Kernels

// Helpers for element-wise operations: value and gradient are given side by side, as closures on
// sixteen floats.

extension Tensor {
  /// Which values backward() needs.
  enum Saved { case input, output }

  /// An operation on each element.
  ///
  /// - Parameters:
  ///   - saving: which values the gradient is a function of.
  ///   - gradient: d loss / d x from d loss / d y and the saved value.
  @inline(__always)
  func unary(
    _ name: String, saving kind: Saved, _ value: (Vector) -> Vector,
    gradient: @escaping (Vector, Vector) -> Vector
  ) throws(TensorError) -> Tensor {
    let output = try Tensor.result(shape, for: name)
    let (count, x, y) = (count, pointer, output.pointer)
    try forElements(count) { range in
      map(x + range.lowerBound, into: y + range.lowerBound, range.count, value)
    }
    guard Tensor.records(self) else { return output }
    let saved = SavedValues(kind == .input ? self : output)
    return .recorded(name, [self], output) { g, into in
      guard let target = into[0] else { return }
      let values = try saved.pointer(for: name)
      try forElements(count) { range in
        let start = range.lowerBound
        accumulate(
          g + start, Row(values + start), Row(values + start), into: target + start, range.count
        ) { g, value, _ in gradient(g, value) }
      }
    }
  }

  /// An operation on the elements of two tensors, broadcast.
  ///
  /// - Parameters:
  ///   - left: d loss / d a from d loss / d result, a and b.
  ///   - right: d loss / d b.
  @inline(__always)
  static func binary(
    _ name: String, _ a: Tensor, _ b: Tensor, _ value: (Vector, Vector) -> Vector,
    left: @escaping (Vector, Vector, Vector) -> Vector,
    right: @escaping (Vector, Vector, Vector) -> Vector
  ) throws(TensorError) -> Tensor {
    let (output, plan) = try zipped(name, a, b, value)
    guard records(a, b) else { return output }
    let (first, second) = (SavedValues(a), SavedValues(b))
    return recorded(name, [a, b], output) { g, into in
      let p = try first.pointer(for: name)
      let q = try second.pointer(for: name)
      if let target = into[0] { try plan.passOn(g, p, q, to: target, .left, left) }
      if let target = into[1] { try plan.passOn(g, p, q, to: target, .right, right) }
    }
  }

  /// The result of `binary`, and how its operands were broadcast.
  @inline(__always)
  static func zipped(
    _ name: String, _ a: Tensor, _ b: Tensor, _ value: (Vector, Vector) -> Vector
  ) throws(TensorError) -> (Tensor, Broadcast) {
    let plan = try Broadcast(a, b, for: name)
    let output = try Tensor.result(plan.shape, for: name)
    let (p, q, y) = (a.pointer, b.pointer, output.pointer)
    let (left, right) = (plan.row.left, plan.row.right)
    try plan.forEachChunk { chunk in
      zip(
        Row(p + chunk.left, step: left), Row(q + chunk.right, step: right),
        into: y + chunk.offset, chunk.count, value)
    }
    return (output, plan)
  }
}

extension Broadcast {
  /// Adds `gradient` of each element of the result to the element of the operand that it came from.
  @inline(__always)
  fileprivate func passOn(
    _ g: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    to target: UnsafeMutablePointer<Float>, _ side: Side,
    _ gradient: (Vector, Vector, Vector) -> Vector
  ) throws(TensorError) {
    let isWhole = repeats(side) == false
    let buffer = isWhole ? nil : try Storage(count: rows * row.size, for: "backward")
    let destination = buffer?.pointer ?? target
    try forEachChunk { chunk in
      accumulate(
        g + chunk.offset, Row(a + chunk.left, step: row.left),
        Row(b + chunk.right, step: row.right),
        adding: isWhole, into: destination + chunk.offset, chunk.count, gradient)
    }
    if let buffer { try addReduced(buffer.pointer, side, to: target) }
  }
}
