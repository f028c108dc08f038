import Kernels

// Keys and values as a cache of 16 bits holds them. Scoring and training round them too, so that they see what sampling saw.

extension Tensor {
  /// The elements rounded to nearest as a cache of `type` holds them; the tensor itself for float32.
  ///
  /// The gradient is passed straight through (arXiv 1308.3432): that of a step function would be 0.
  public func rounded(to type: KeyValueType) throws(TensorError) -> Tensor {
    guard type == .bfloat16 else { return self }
    let y = try Tensor.result(shape, for: "key-value rounding")
    forElements(count) {
      roundToBFloat16(pointer + $0.lowerBound, into: y.pointer + $0.lowerBound, $0.count)
    }
    return .recorded("rounded", [self], y, style: .passing) { _, _ in }
  }
}
