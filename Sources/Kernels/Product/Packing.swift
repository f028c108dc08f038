// Packing a matrix into panels of 32 columns: a transposition, sixteen by sixteen in registers.

/// Packs the panels in `panels` of the matrix `w` [n, k], whose rows are `stride` floats apart (k
/// by default); columns beyond n are zero.
public func pack(
  _ w: UnsafePointer<Float>, rows n: Int, columns k: Int, stride rowStride: Int? = nil,
  panels: Range<Int>, into packed: UnsafeMutablePointer<Float>
) {
  let step = rowStride ?? k
  for panel in panels {
    let destination = packed + panel * k * panelWidth
    let first = panel * panelWidth
    let width = min(panelWidth, n - first)
    if width < panelWidth { destination.update(repeating: 0, count: k * panelWidth) }
    for group in stride(from: 0, to: width, by: 16) {
      let source = w + (first + group) * step
      let columns = min(16, width - group)
      let whole = columns == 16 ? k / 16 * 16 : 0
      for i in stride(from: 0, to: whole, by: 16) {
        transpose(source + i, stride: step, into: destination + i * panelWidth + group)
      }
      for column in 0..<columns {
        for i in whole..<k {
          destination[i * panelWidth + group + column] = source[column * step + i]
        }
      }
    }
  }
}

/// Packs the transpose of `w` [k, n]: panels of 32 of its columns, row by row.
public func packTransposed(
  _ w: UnsafePointer<Float>, rows k: Int, columns n: Int, panels: Range<Int>,
  into packed: UnsafeMutablePointer<Float>
) {
  // Rows are pages apart: 16 of them are packed for all panels before the next 16, for the sake of
  // the TLB.
  for start in stride(from: 0, to: k, by: 16) {
    let rows = start..<min(start + 16, k)
    for panel in panels {
      copyRows(
        rows, w + panel * panelWidth, stride: n, width: min(panelWidth, n - panel * panelWidth),
        into: packed + panel * k * panelWidth)
    }
  }
}

/// Copies the first `width` floats of some rows into a panel, followed by zeros.
private func copyRows(
  _ rows: Range<Int>, _ x: UnsafePointer<Float>, stride: Int, width: Int,
  into panel: UnsafeMutablePointer<Float>
) {
  guard width == panelWidth else {
    for i in rows {
      (panel + i * panelWidth).update(repeating: 0, count: panelWidth)
      (panel + i * panelWidth).update(from: x + i * stride, count: width)
    }
    return
  }
  for i in rows {
    let (a, b) = (Vector(at: x + i * stride), Vector(at: x + i * stride + 16))
    a.store(to: panel + i * panelWidth)
    b.store(to: panel + i * panelWidth + 16)
  }
}

/// Writes sixteen floats of sixteen rows, `stride` apart, as sixteen rows of a panel.
///
/// Each step deinterleaves pairs of rows into even and odd elements, which moves one bit of the
/// column index to the row index. Four steps transpose the matrix.
@inline(__always)
private func transpose(
  _ x: UnsafePointer<Float>, stride: Int, into y: UnsafeMutablePointer<Float>
) {
  @inline(__always) func row(_ i: Int) -> Vector { Vector(at: x + i * stride) }
  let (a0, a1) = apart(row(0), row(1)), (a2, a3) = apart(row(2), row(3))
  let (a4, a5) = apart(row(4), row(5)), (a6, a7) = apart(row(6), row(7))
  let (a8, a9) = apart(row(8), row(9)), (aA, aB) = apart(row(10), row(11))
  let (aC, aD) = apart(row(12), row(13)), (aE, aF) = apart(row(14), row(15))
  let (b0, b2) = apart(a0, a2), (b1, b3) = apart(a1, a3)
  let (b4, b6) = apart(a4, a6), (b5, b7) = apart(a5, a7)
  let (b8, bA) = apart(a8, aA), (b9, bB) = apart(a9, aB)
  let (bC, bE) = apart(aC, aE), (bD, bF) = apart(aD, aF)
  let (c0, c4) = apart(b0, b4), (c1, c5) = apart(b1, b5)
  let (c2, c6) = apart(b2, b6), (c3, c7) = apart(b3, b7)
  let (c8, cC) = apart(b8, bC), (c9, cD) = apart(b9, bD)
  let (cA, cE) = apart(bA, bE), (cB, cF) = apart(bB, bF)
  @inline(__always) func put(_ pair: (Vector, Vector), _ i: Int) {
    pair.0.store(to: y + i * panelWidth)
    pair.1.store(to: y + (i + 8) * panelWidth)
  }
  put(apart(c0, c8), 0)
  put(apart(c1, c9), 1)
  put(apart(c2, cA), 2)
  put(apart(c3, cB), 3)
  put(apart(c4, cC), 4)
  put(apart(c5, cD), 5)
  put(apart(c6, cE), 6)
  put(apart(c7, cF), 7)
}

/// The even and the odd elements of two vectors one after the other.
@inline(__always)
private func apart(_ a: Vector, _ b: Vector) -> (Vector, Vector) {
  let both = SIMD32(lowHalf: a, highHalf: b)
  return (both.evenHalf, both.oddHalf)
}
