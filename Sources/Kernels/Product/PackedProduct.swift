// y = x Wᵀ with W packed once: the product of decoding, scoring and training.
//
// BLAS packs the weights again at every call; decoding multiplies the same weights thousands of
// times by a few rows. Here W [n, k] is laid out in panels of 32 output columns, [⌈n/32⌉][k][32],
// and a tile of a few rows of x runs down k with its 32 sums per row in registers. Every sum is one
// chain of fused multiply-adds over k = 0, 1, 2 …, whatever the number of rows: decoding one row
// and scoring a thousand give the same bits.

/// Output columns in one panel of packed weights.
public let panelWidth = 32

/// Floats that the packed form of an [n, k] matrix takes.
public func packedCount(rows n: Int, columns k: Int) -> Int { panelCount(n) * panelWidth * k }

/// Panels that hold n output columns.
public func panelCount(_ n: Int) -> Int { (n + panelWidth - 1) / panelWidth }

/// The left factor of a packed product, stored either way: element (row, i) is at `row * rowStep +
/// i * step`.
public struct Factor {
  /// Element (0, 0).
  public let pointer: UnsafePointer<Float>
  /// Floats from one row to the next.
  public let rowStep: Int
  /// Floats from one element of a row to the next.
  public let step: Int

  /// A factor [rows, k] whose rows are contiguous.
  public init(rows pointer: UnsafePointer<Float>, k: Int) {
    (self.pointer, rowStep, step) = (pointer, k, 1)
  }

  /// The 32 rows of a panel of a packed factor [rows, k].
  public init(panel: Int, of packed: UnsafePointer<Float>, k: Int) {
    pointer = packed + panel * panelWidth * (k - 1)
    (rowStep, step) = (1, panelWidth)
  }

  private init(pointer: UnsafePointer<Float>, rowStep: Int, step: Int) {
    (self.pointer, self.rowStep, self.step) = (pointer, rowStep, step)
  }

  /// The same rows from element `start` on.
  public func from(_ start: Int) -> Factor {
    Factor(pointer: pointer + start * step, rowStep: rowStep, step: step)
  }

  @inline(__always)
  func row(_ index: Int) -> UnsafePointer<Float> { pointer + index * rowStep }
}

/// The product y = x Wᵀ, or y += x Wᵀ, for the output columns of `panels`.
///
/// - Parameters:
///   - packed: W [n, k] as `pack` wrote it.
///   - x: the rows of the product; only those in `rows` are computed.
///   - y: [rows, n], contiguous; only the columns of `panels` are written.
///   - adding: whether sums start from the values in y.
public func multiplyPacked(
  _ packed: UnsafePointer<Float>, n: Int, k: Int, panels: Range<Int>, x: Factor, rows: Range<Int>,
  y: UnsafeMutablePointer<Float>, adding: Bool = false
) {
  multiplyBlocks(packed, n: n, k: k, panels, x, rows, y, adding)
}

/// The same product, to the bit, with W packed as bfloat16 (see `BFloat16Panels`).
public func multiplyPacked(
  _ packed: UnsafePointer<UInt32>, n: Int, k: Int, panels: Range<Int>, x: Factor, rows: Range<Int>,
  y: UnsafeMutablePointer<Float>, adding: Bool = false
) {
  multiplyBlocks(packed, n: n, k: k, panels, x, rows, y, adding)
}

private func multiplyBlocks<W: PackedWeight>(
  _ packed: UnsafePointer<W>, n: Int, k: Int, _ panels: Range<Int>, _ x: Factor,
  _ rows: Range<Int>, _ y: UnsafeMutablePointer<Float>, _ adding: Bool
) {
  for start in stride(from: rows.lowerBound, to: rows.upperBound, by: rowBlock) {
    let part = start..<min(start + rowBlock, rows.upperBound)
    if part.count == 1 {
      multiplyRow(packed, n: n, k: k, panels, x, start, y, adding)
      continue
    }
    // With few rows the product is bound by memory, which is read fastest in one sequential pass.
    let tiles = (part.count + 7) / 8
    let depthStep = tiles == 1 ? max(1, k) : sliceDepth
    /// The row of packed weights read after a slice; after the last slice, the start of the next
    /// panel.
    func follower(_ panel: Int, _ depth: Int) -> Int {
      if panel + 1 < panels.upperBound { return (panel + 1) * k + depth }
      return depth + depthStep < k
        ? panels.lowerBound * k + depth + depthStep : panels.upperBound * k
    }
    for depth in stride(from: 0, to: k, by: depthStep) {
      let slice = depth..<min(depth + depthStep, k)
      for panel in panels {
        let first = panel * panelWidth
        let target = Target(
          pointer: y + first, stride: n, width: min(panelWidth, n - first),
          continues: adding || depth > 0)
        let weights = packed + (panel * k + depth) * W.rowSize
        let next =
          tiles == 1
          ? Upcoming(within: weights)
          : Upcoming(packed + follower(panel, depth) * W.rowSize, tiles: tiles)
        multiplySlice(weights, slice.count, x.from(depth), part, target, next)
      }
    }
  }
}

/// Rows per block: a slice of weights stays in the L1 cache for all of them, and the rows stay in
/// L2.
private let rowBlock = 256
/// Depth of a slice in k: 32 kB of weights.
private let sliceDepth = 256

/// A slice of one panel by a block of rows, in tiles of 8, 4, 2 and 1 rows.
private func multiplySlice<W: PackedWeight>(
  _ slice: UnsafePointer<W>, _ k: Int, _ x: Factor, _ rows: Range<Int>, _ y: Target,
  _ next: Upcoming
) {
  var next = next
  var row = rows.lowerBound
  while row + 8 <= rows.upperBound {
    multiplyTile(Rows8.self, slice, k, x, row, y, next)
    next.advance(by: k)
    row += 8
  }
  if row + 4 <= rows.upperBound {
    multiplyTile(Rows4.self, slice, k, x, row, y, next)
    row += 4
  }
  if row + 2 <= rows.upperBound {
    multiplyTile(Rows2.self, slice, k, x, row, y, next)
    row += 2
  }
  if row < rows.upperBound { multiplyTile(Rows1.self, slice, k, x, row, y, next) }
}

/// A single row, four panels at a time.
private func multiplyRow<W: PackedWeight>(
  _ packed: UnsafePointer<W>, n: Int, k: Int, _ panels: Range<Int>, _ x: Factor, _ row: Int,
  _ y: UnsafeMutablePointer<Float>, _ adding: Bool
) {
  var panel = panels.lowerBound
  while panel < panels.upperBound {
    let first = panel * panelWidth
    let target = Target(
      pointer: y + first, stride: n, width: min(panelWidth, n - first), continues: adding)
    let weights = packed + panel * k * W.rowSize
    if panel + 4 <= panels.upperBound {
      tile1x4(weights, k, x, row, target, n - first)
      panel += 4
    } else {
      multiplyTile(Rows1.self, weights, k, x, row, target, Upcoming(within: weights))
      panel += 1
    }
  }
}
