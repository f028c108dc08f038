import Kernels

/// A packed copy of a float32 weight matrix [n, k] as it was at one version of its storage.
final class PackedMatrix: PackedPanels {
  let n: Int
  let k: Int
  /// `Storage.version` of the weights that were packed.
  let version: Int
  private let storage: Storage

  /// Packs a matrix that is stored [n, k] or, where `isTransposed`, [k, n]; throws where memory is
  /// short.
  init(_ weights: Tensor, isTransposed: Bool = false) throws(TensorError) {
    let (rows, columns) = (weights.shape[0], weights.count / max(1, weights.shape[0]))
    let (n, k) = isTransposed ? (columns, rows) : (rows, columns)
    (self.n, self.k, version) = (n, k, weights.storage.version)
    storage = try Storage(count: packedCount(rows: n, columns: k), for: "packed weights")
    let (source, destination) = (weights.pointer, storage.pointer)
    Team.shared.forEach(panelCount(n), atLeast: max(1, 65_536 / (k * panelWidth + 1))) { range in
      if isTransposed {
        packTransposed(source, rows: k, columns: n, panels: range, into: destination)
      } else {
        pack(source, rows: n, columns: k, panels: range, into: destination)
      }
    }
    withExtendedLifetime(weights) {}
  }

  /// Bytes that it takes.
  var bytes: Int { storage.count * 4 }

  func multiply(
    _ x: UnsafePointer<Float>, rows: Range<Int>, panels: Range<Int>, into y: GradientBuffer
  ) {
    multiplyPacked(
      storage.pointer, n: n, k: k, panels: panels, x: Factor(rows: x, k: k), rows: rows,
      y: y.pointer, adding: y.adds)
  }
}
