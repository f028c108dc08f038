import Kernels

/// A weight matrix [n, k] in the layout of `multiplyPacked`, made once per change of the weights.
public final class PackedMatrix: @unchecked Sendable {
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
  ) {
    self.n = n
    self.k = k
    self.version = version
    self.offset = offset
    self.isTransposed = isTransposed
    storage = Storage(count: packedCount(rows: n, columns: k))
    let destination = storage.pointer
    Team.shared.forEach(panels, atLeast: max(1, 65_536 / (k * panelWidth + 1))) { range in
      if isTransposed {
        packTransposed(weights, rows: k, columns: n, panels: range, into: destination)
      } else {
        pack(weights, rows: n, columns: k, panels: range, into: destination)
      }
    }
  }

  private var panels: Int { panelCount(n) }

  func isCurrent(version: Int, offset: Int, n: Int, k: Int, isTransposed: Bool) -> Bool {
    self.version == version && self.offset == offset && self.n == n && self.k == k
      && self.isTransposed == isTransposed
  }

  /// y = x Wᵀ for x [rows, k] and y [rows, n]; the bits of a row do not depend on the other rows.
  public func multiply(
    _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>
  ) {
    Team.shared.forEach(panels, atLeast: grain(rows * k * panelWidth)) { range in
      multiplyPacked(
        storage.pointer, n: n, k: k, panels: range, x: Factor(rows: x, k: k), rows: 0..<rows, y: y)
    }
  }
}
