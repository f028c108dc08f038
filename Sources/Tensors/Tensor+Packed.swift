import Kernels

// Products with a weight matrix: by its packed copy where few rows meet it again and again, as in decoding, or by packing
// it in passing. The bits are the same.

/// From this number of rows on a packed copy saves next to nothing; decoding has fewer.
private let manyRows = 512

extension Tensor {
  /// This [n, k] weight matrix packed for products, cached until the weights change; throws where memory is short.
  public var packed: PackedMatrix { get throws(TensorError) { try packed(isTransposed: false) } }

  /// This matrix packed for products as [n, k], or, where `isTransposed`, its transpose.
  func packed(isTransposed: Bool) throws(TensorError) -> PackedMatrix {
    let (n, k) = sizes(isTransposed)
    return try storage.packedMatrix(offset: offset, rows: n, columns: k, isTransposed: isTransposed)
  }

  /// y = x Wᵀ, or y += x Wᵀ, for x [rows, k] and y [rows, n].
  ///
  /// A weight that `isTrained` will change before it meets few rows again, and gives up its packed copy.
  func multiply(
    _ x: UnsafePointer<Float>, rows: Int, isTransposed: Bool = false, isTrained: Bool = false,
    into y: UnsafeMutablePointer<Float>, adding: Bool = false
  ) throws(TensorError) {
    let (n, k) = sizes(isTransposed)
    if isTrained { storage.dropPackedCopy() }
    let copy = storage.packedCopy(offset: offset, rows: n, columns: k, isTransposed: isTransposed)
    guard copy == nil, isTrained || rows >= manyRows else {
      return try packed(isTransposed: isTransposed)
        .multiply(x, rows: rows, into: y, adding: adding)
    }
    Tensors.multiply(
      x, rows: rows, weight: pointer, n: n, k: k, isTransposed: isTransposed,
      into: GradientBuffer(y, adds: adding))
  }

  private func sizes(_ isTransposed: Bool) -> (n: Int, k: Int) {
    let (rows, columns) = (shape[0], count / max(1, shape[0]))
    return isTransposed ? (columns, rows) : (rows, columns)
  }
}
