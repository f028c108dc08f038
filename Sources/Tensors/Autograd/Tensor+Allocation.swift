// Allocation that a script can reach: too large a request is an error and not the end of the
// process.

extension Tensor {
  /// A tensor of uninitialised elements for the result of an operation that a script asked for.
  ///
  /// Throws if the shape has a negative size, has more elements than can be addressed, or needs
  /// more memory than is free.
  public static func result(_ shape: [Int], for operation: String) throws(TensorError) -> Tensor {
    let count = try checkedCount(shape, for: operation)
    return Tensor(storage: try Storage(count: count, for: operation), shape: shape)
  }

  /// The number of elements of `shape`; throws if a size is negative, if there are more than 64
  /// dimensions, or if the number cannot be addressed.
  static func checkedCount(_ shape: [Int], for operation: String) throws(TensorError) -> Int {
    var product = 1
    var isEmpty = false
    for size in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: max(1, size))
      guard size >= 0, !overflow, next < 1 << 48, shape.count <= 64 else {
        throw .impossibleShape(operation: operation, shape)
      }
      product = next
      if size == 0 { isEmpty = true }
    }
    return isEmpty ? 0 : product
  }

  /// Like `result`, filled with zeros.
  public static func zeroResult(_ shape: [Int], for operation: String) throws(TensorError) -> Tensor
  {
    let tensor = try result(shape, for: operation)
    try tensor.pointer.fill(0, count: tensor.count)
    return tensor
  }
}
