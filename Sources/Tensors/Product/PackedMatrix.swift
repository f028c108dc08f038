import Kernels

/// A weight matrix [n, k] in the layout of `multiplyPacked`, made once per change of the weights.
public final class PackedMatrix: PanelProduct, @unchecked Sendable {
  /// Rows of the matrix: outputs of the product.
  public let n: Int
  /// Columns of the matrix: inputs of the product.
  public let k: Int
  private let storage: Storage
  private let version: Int
  private let offset: Int
  private let isTransposed: Bool

  /// Packs `weights`, stored [n, k] or, where `isTransposed`, [k, n].
  init(
    _ weights: UnsafePointer<Float>, n: Int, k: Int, isTransposed: Bool, version: Int, offset: Int
  ) throws(TensorError) {
    self.n = n
    self.k = k
    self.version = version
    self.offset = offset
    self.isTransposed = isTransposed
    storage = try Storage(
      count: packedCount(rows: n, columns: k), for: "packed weights")
    let destination = storage.pointer
    Team.shared.forEach(panels, atLeast: max(1, 65_536 / (k * panelWidth + 1))) { range in
      if isTransposed {
        packTransposed(weights, rows: k, columns: n, panels: range, into: destination)
      } else {
        pack(weights, rows: n, columns: k, panels: range, into: destination)
      }
    }
  }

  /// Bytes that it takes.
  var bytes: Int { storage.count * 4 }

  private var panels: Int { panelCount(n) }

  func isCurrent(version: Int, offset: Int, n: Int, k: Int, isTransposed: Bool) -> Bool {
    self.version == version && self.offset == offset && self.n == n && self.k == k
      && self.isTransposed == isTransposed
  }

  func multiply(
    _ x: UnsafePointer<Float>, rows: Int, panels: Range<Int>, into y: UnsafeMutablePointer<Float>
  ) {
    multiplyPacked(
      storage.pointer, n: n, k: k, panels: panels, x: Factor(rows: x, k: k), rows: 0..<rows, y: y)
  }

  /// y = x Wᵀ, or y += x Wᵀ, for x [rows, k] and y [rows, n]; the bits of a row do not depend on the other rows.
  public func multiply(
    _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, adding: Bool = false
  ) {
    func multiply(_ panels: Range<Int>, _ rows: Range<Int>) {
      multiplyPacked(
        storage.pointer, n: n, k: k, panels: panels, x: Factor(rows: x, k: k), rows: rows, y: y,
        adding: adding)
    }
    // A narrow matrix has too few panels for the team: the rows are shared out instead, in tiles of 8.
    guard panels > 2 || rows < 64 else {
      let tiles = (rows + 7) / 8
      Team.shared.forEach(tiles, atLeast: grain(rows: 8, k: k, panels: panels)) {
        multiply(0..<panels, $0.lowerBound * 8..<min(rows, $0.upperBound * 8))
      }
      return
    }
    Team.shared.forEach(panels, atLeast: grain(rows: rows, k: k)) { multiply($0, 0..<rows) }
  }
}
