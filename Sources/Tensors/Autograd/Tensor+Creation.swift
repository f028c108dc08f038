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

  /// Sets element i to draw i of `stream`, which moves on; `draw` takes one position of it.
  public func fill(
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

  /// The elements in row-major order, as many as the shape has.
  public static func from(_ values: [Float], _ shape: [Int]) throws(TensorError) -> Tensor {
    let tensor = try result(shape, for: "tensor")
    precondition(values.count == tensor.count, "\(values.count) values for shape \(shape)")
    try values.withUnsafeBufferPointer { values throws(TensorError) in
      guard let start = values.baseAddress else { return }
      try tensor.pointer.copy(start, count: values.count)
    }
    return tensor
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
