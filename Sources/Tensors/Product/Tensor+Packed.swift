import Kernels

// Products with a weight matrix: by a packed copy that is kept where few rows meet it again and again, as in decoding, or by
// packing it in passing. The bits are the same.

/// Whether products keep packed copies; see `withPackedWeights`.
nonisolated(unsafe) private(set) var keepsPackedCopies = false

/// Runs `body`, in which products pack a weight once and keep the copy, which takes as much memory as the weight, until it
/// changes or is trained.
public func withPackedWeights<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
  let before = keepsPackedCopies
  keepsPackedCopies = true
  defer { keepsPackedCopies = before }
  return try body()
}

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
  /// A weight that `isTrained` is about to change and gives up its packed copy.
  func multiply(
    _ x: UnsafePointer<Float>, rows: Int, isTransposed: Bool = false, isTrained: Bool = false,
    into y: UnsafeMutablePointer<Float>, adding: Bool = false
  ) throws(TensorError) {
    let (n, k) = sizes(isTransposed)
    if isTrained { storage.dropPackedCopy() }
    let copy =
      try keepsPackedCopies && !isTrained
      ? packed(isTransposed: isTransposed)
      : storage.packedCopy(offset: offset, rows: n, columns: k, isTransposed: isTransposed)
    if let copy { return copy.multiply(x, rows: rows, into: y, adding: adding) }
    try Tensors.multiply(
      x, rows: rows, weight: pointer, n: n, k: k, isTransposed: isTransposed,
      into: GradientBuffer(y, adds: adding))
  }

  private func sizes(_ isTransposed: Bool) -> (n: Int, k: Int) {
    let (rows, columns) = (shape[0], count / max(1, shape[0]))
    return isTransposed ? (columns, rows) : (rows, columns)
  }
}
