import Core

/// What went wrong in a tensor operation, as values: indices count from 0. `ApoLua` words it for
/// scripts.
public enum TensorError: Error, Equatable, Sendable {
  /// A computation was interrupted.
  case stopped(Interrupted)

  // Memory.
  /// More bytes are needed than are available.
  case outOfMemory(OutOfMemory)
  /// A size is negative, or there are more elements than can be addressed.
  case impossibleShape(operation: String, [Int])

  // Shapes.
  /// Operands of other shapes than `expected`, such as `input [tokens, C] and weight [C]`.
  case shapes(operation: String, expected: String, given: [[Int]])
  /// One element is expected.
  case notOneElement(operation: String, shape: [Int])
  /// Two shapes do not broadcast.
  case notBroadcastable(operation: String, [Int], [Int])
  /// A shape does not broadcast to another.
  case notExpandable([Int], to: [Int])
  /// The columns of the left factor of a product are not as many as the rows of the right one.
  case factors([Int], [Int], columns: Int, rows: Int)
  /// Elements are not as many as another shape has.
  case notReshapable([Int], to: [Int])
  /// More than one size of another shape is to be computed.
  case severalUnknownSizes([Int], to: [Int])
  /// `cat` or `stack` of tensors whose shapes differ, the first one's and that of the tensor at
  /// `index`; sizes of `dimension` may differ.
  case unequalShapes(operation: String, [Int], [Int], index: Int, dimension: Int?)
  /// `cat` of scalars.
  case scalarsInCat
  /// `cat` or `stack` of no tensors.
  case noTensors(operation: String)
  /// The index of `gather` does not fit the tensor.
  case gatherShapes(index: [Int], [Int], dimension: Int)
  /// Lengths of segments and a tensor of another size.
  case segments(count: Int, tokens: Int, expected: Int, given: [Int])

  // Positions.
  /// A dimension outside of 0 ..< count.
  case dimension(operation: String, Int, shape: [Int], count: Int)
  /// A position in the first dimension that is not there.
  case position(Int, shape: [Int])
  /// Positions of a dimension that are not there.
  case range(start: Int, length: Int, dimension: Int, size: Int, shape: [Int])
  /// An element of the index of `gather` that is no position in 0 ..< size.
  case gatherIndex(Float, place: [Int], size: Int)
  /// A reduction over nothing.
  case noElements(operation: String, shape: [Int])

  // Numbers.
  /// Neither bound of `clamp` is given.
  case clampWithoutBounds
  /// `arange` of numbers that are not finite, or with a step of 0.
  case arangeNumbers(start: Double, end: Double, step: Double)
  /// `arange` never gets to its end.
  case arangeDirection(start: Double, end: Double, step: Double)
  /// `arange` has more numbers than can be addressed.
  case arangeCount(start: Double, end: Double, step: Double)

  // Gradients.
  /// A result of an operation cannot stop requiring a gradient.
  case notALeaf
  /// A gradient of another shape than its tensor.
  case gradientShape([Int], tensor: [Int])
  /// Nothing that the tensor depends on requires a gradient.
  case noGraph
  /// The graph behind an operation was freed by backward().
  case graphFreed(operation: String)
  /// What an operation needs in backward() was changed in place.
  case changedInPlace(operation: String, Operand)

  /// What was changed in place.
  public enum Operand: Sendable { case tensor, weight, outputLayer }
}

extension Memory {
  /// `check` with the errors of tensors.
  static func require(bytes: Int, for operation: String) throws(TensorError) {
    do { try check(bytes: bytes, for: operation) } catch { throw .outOfMemory(error) }
  }

  /// `check` and `checkBuffer` with the errors of tensors: small scratch counts too.
  static func requireBuffer(bytes: Int, for operation: String) throws(TensorError) {
    do {
      // `checkBuffer` asks `check` itself, but not for a few megabytes.
      if bytes > smallBuffer {
        try checkBuffer(bytes: bytes, for: operation)
      } else {
        try check(bytes: bytes, for: operation)
      }
    } catch { throw .outOfMemory(error) }
  }
}

extension Interrupt {
  /// `check` with the errors of tensors.
  static func poll() throws(TensorError) {
    do { try check() } catch { throw .stopped(error) }
  }
}
