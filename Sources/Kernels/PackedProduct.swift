// y = x Wᵀ with W packed once: the product of decoding, scoring and the forward pass.
//
// BLAS packs the weights again at every call; decoding multiplies the same weights thousands of times by a few
// rows. Here W [n, k] is laid out in panels of 32 output columns, [⌈n/32⌉][k][32], and a tile of a few rows of x
// runs down k with its 32 sums per row in registers. Every sum is one chain of fused multiply-adds over
// k = 0, 1, 2 …, whatever the number of rows: decoding one row and scoring a thousand give the same bits.

/// Output columns in one panel of packed weights.
public let panelWidth = 32

/// Floats that the packed form of an [n, k] matrix takes.
public func packedCount(rows n: Int, columns k: Int) -> Int {
  (n + panelWidth - 1) / panelWidth * panelWidth * k
}

/// Packs the panels in `panels` of the matrix `w` [n, k]; columns beyond n are zero.
public func pack(
  _ w: UnsafePointer<Float>, rows n: Int, columns k: Int, panels: Range<Int>,
  into packed: UnsafeMutablePointer<Float>
) {
  for panel in panels {
    let destination = packed + panel * k * panelWidth
    let first = panel * panelWidth
    let width = min(panelWidth, n - first)
    if width < panelWidth { destination.update(repeating: 0, count: k * panelWidth) }
    for column in 0..<width {
      let source = w + (first + column) * k
      for i in 0..<k { destination[i * panelWidth + column] = source[i] }
    }
  }
}

/// The product y = x Wᵀ for the output columns of `panels`.
///
/// - Parameters:
///   - packed: W [n, k] as `pack` wrote it.
///   - x: [rows, k], contiguous.
///   - y: [rows, n], contiguous; only the columns of `panels` are written.
public func multiplyPacked(
  _ packed: UnsafePointer<Float>, n: Int, k: Int, panels: Range<Int>,
  x: UnsafePointer<Float>, rows: Int, y: UnsafeMutablePointer<Float>
) {
  // A block of rows stays in the second-level cache while all panels pass over it.
  let block = max(8, 65_536 / max(1, k) / 8 * 8)
  var row = 0
  while row < rows {
    let count = min(block, rows - row)
    if count == 1 {
      multiplyRow(packed, n: n, k: k, panels: panels, x: x + row * k, y: y + row * n)
    } else {
      for panel in panels {
        multiplyPanel(
          packed + panel * k * panelWidth, k: k, width: min(panelWidth, n - panel * panelWidth),
          x: x + row * k, rows: count, y: y + row * n + panel * panelWidth, stride: n)
      }
    }
    row += count
  }
}

/// One panel by a block of rows, in tiles of 8, 4, 2 and 1 rows.
private func multiplyPanel(
  _ panel: UnsafePointer<Float>, k: Int, width: Int,
  x: UnsafePointer<Float>, rows: Int, y: UnsafeMutablePointer<Float>, stride: Int
) {
  var row = 0
  while row + 8 <= rows {
    tile8(panel, k, x + row * k, y + row * stride, stride, width)
    row += 8
  }
  if row + 4 <= rows {
    tile4(panel, k, x + row * k, y + row * stride, stride, width)
    row += 4
  }
  if row + 2 <= rows {
    tile2(panel, k, x + row * k, y + row * stride, stride, width)
    row += 2
  }
  if row < rows { tile1(panel, k, x + row * k, y + row * stride, width) }
}

/// A single row: four panels at a time, so that eight chains hide the latency of the additions.
private func multiplyRow(
  _ packed: UnsafePointer<Float>, n: Int, k: Int, panels: Range<Int>,
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
) {
  var panel = panels.lowerBound
  while panel + 4 <= panels.upperBound {
    tile1x4(packed + panel * k * panelWidth, k, x, y + panel * panelWidth, n - panel * panelWidth)
    panel += 4
  }
  while panel < panels.upperBound {
    let width = min(panelWidth, n - panel * panelWidth)
    tile1(packed + panel * k * panelWidth, k, x, y + panel * panelWidth, width)
    panel += 1
  }
}

@inline(__always)
private func storePair(
  _ a: Vector, _ b: Vector, _ y: UnsafeMutablePointer<Float>, _ width: Int
) {
  if width == panelWidth {
    a.store(to: y)
    b.store(to: y + 16)
  } else {
    a.store(to: y, count: min(16, width))
    if width > 16 { b.store(to: y + 16, count: width - 16) }
  }
}

private func tile1(
  _ panel: UnsafePointer<Float>, _ k: Int, _ x: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ width: Int
) {
  var a = Vector.zero
  var b = Vector.zero
  var w = panel
  for i in 0..<k {
    let s = Vector(repeating: x[i])
    a = a.addingProduct(s, Vector(at: w))
    b = b.addingProduct(s, Vector(at: w + 16))
    w += 32
  }
  storePair(a, b, y, width)
}

private func tile1x4(
  _ panels: UnsafePointer<Float>, _ k: Int, _ x: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ columns: Int
) {
  var a0 = Vector.zero, b0 = Vector.zero, a1 = Vector.zero, b1 = Vector.zero
  var a2 = Vector.zero, b2 = Vector.zero, a3 = Vector.zero, b3 = Vector.zero
  let size = k * panelWidth
  var w = panels
  for i in 0..<k {
    let s = Vector(repeating: x[i])
    a0 = a0.addingProduct(s, Vector(at: w))
    b0 = b0.addingProduct(s, Vector(at: w + 16))
    a1 = a1.addingProduct(s, Vector(at: w + size))
    b1 = b1.addingProduct(s, Vector(at: w + size + 16))
    a2 = a2.addingProduct(s, Vector(at: w + 2 * size))
    b2 = b2.addingProduct(s, Vector(at: w + 2 * size + 16))
    a3 = a3.addingProduct(s, Vector(at: w + 3 * size))
    b3 = b3.addingProduct(s, Vector(at: w + 3 * size + 16))
    w += 32
  }
  storePair(a0, b0, y, panelWidth)
  storePair(a1, b1, y + 32, panelWidth)
  storePair(a2, b2, y + 64, panelWidth)
  storePair(a3, b3, y + 96, min(panelWidth, columns - 96))
}

private func tile2(
  _ panel: UnsafePointer<Float>, _ k: Int, _ x: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ stride: Int, _ width: Int
) {
  var a0 = Vector.zero, b0 = Vector.zero, a1 = Vector.zero, b1 = Vector.zero
  let x1 = x + k
  var w = panel
  for i in 0..<k {
    let u = Vector(at: w), v = Vector(at: w + 16)
    w += 32
    var s = Vector(repeating: x[i])
    a0 = a0.addingProduct(s, u)
    b0 = b0.addingProduct(s, v)
    s = Vector(repeating: x1[i])
    a1 = a1.addingProduct(s, u)
    b1 = b1.addingProduct(s, v)
  }
  storePair(a0, b0, y, width)
  storePair(a1, b1, y + stride, width)
}

private func tile4(
  _ panel: UnsafePointer<Float>, _ k: Int, _ x: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ stride: Int, _ width: Int
) {
  var a0 = Vector.zero, a1 = Vector.zero, a2 = Vector.zero, a3 = Vector.zero
  var b0 = Vector.zero, b1 = Vector.zero, b2 = Vector.zero, b3 = Vector.zero
  let x1 = x + k, x2 = x + 2 * k, x3 = x + 3 * k
  var w = panel
  for i in 0..<k {
    let u = Vector(at: w), v = Vector(at: w + 16)
    w += 32
    var s = Vector(repeating: x[i])
    a0 = a0.addingProduct(s, u)
    b0 = b0.addingProduct(s, v)
    s = Vector(repeating: x1[i])
    a1 = a1.addingProduct(s, u)
    b1 = b1.addingProduct(s, v)
    s = Vector(repeating: x2[i])
    a2 = a2.addingProduct(s, u)
    b2 = b2.addingProduct(s, v)
    s = Vector(repeating: x3[i])
    a3 = a3.addingProduct(s, u)
    b3 = b3.addingProduct(s, v)
  }
  storePair(a0, b0, y, width)
  storePair(a1, b1, y + stride, width)
  storePair(a2, b2, y + 2 * stride, width)
  storePair(a3, b3, y + 3 * stride, width)
}

/// Eight rows: 16 sums, which with AVX-512 leave registers for the weights.
private func tile8(
  _ panel: UnsafePointer<Float>, _ k: Int, _ x: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ stride: Int, _ width: Int
) {
  var a0 = Vector.zero, a1 = Vector.zero, a2 = Vector.zero, a3 = Vector.zero
  var a4 = Vector.zero, a5 = Vector.zero, a6 = Vector.zero, a7 = Vector.zero
  var b0 = Vector.zero, b1 = Vector.zero, b2 = Vector.zero, b3 = Vector.zero
  var b4 = Vector.zero, b5 = Vector.zero, b6 = Vector.zero, b7 = Vector.zero
  let x1 = x + 1 * k, x2 = x + 2 * k, x3 = x + 3 * k, x4 = x + 4 * k
  let x5 = x + 5 * k, x6 = x + 6 * k, x7 = x + 7 * k
  var w = panel
  for i in 0..<k {
    let u = Vector(at: w), v = Vector(at: w + 16)
    w += 32
    var s = Vector(repeating: x[i])
    a0 = a0.addingProduct(s, u)
    b0 = b0.addingProduct(s, v)
    s = Vector(repeating: x1[i])
    a1 = a1.addingProduct(s, u)
    b1 = b1.addingProduct(s, v)
    s = Vector(repeating: x2[i])
    a2 = a2.addingProduct(s, u)
    b2 = b2.addingProduct(s, v)
    s = Vector(repeating: x3[i])
    a3 = a3.addingProduct(s, u)
    b3 = b3.addingProduct(s, v)
    s = Vector(repeating: x4[i])
    a4 = a4.addingProduct(s, u)
    b4 = b4.addingProduct(s, v)
    s = Vector(repeating: x5[i])
    a5 = a5.addingProduct(s, u)
    b5 = b5.addingProduct(s, v)
    s = Vector(repeating: x6[i])
    a6 = a6.addingProduct(s, u)
    b6 = b6.addingProduct(s, v)
    s = Vector(repeating: x7[i])
    a7 = a7.addingProduct(s, u)
    b7 = b7.addingProduct(s, v)
  }
  storePair(a0, b0, y, width)
  storePair(a1, b1, y + stride, width)
  storePair(a2, b2, y + 2 * stride, width)
  storePair(a3, b3, y + 3 * stride, width)
  storePair(a4, b4, y + 4 * stride, width)
  storePair(a5, b5, y + 5 * stride, width)
  storePair(a6, b6, y + 6 * stride, width)
  storePair(a7, b7, y + 7 * stride, width)
}
