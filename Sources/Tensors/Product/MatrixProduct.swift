import Kernels

// One product of two matrices and its gradients, row-major, on the kernel of linear layers: every
// element is summed in one order, whatever the number of threads. A row or a column takes a loop of
// its own, which packs nothing.

/// The sizes of a product of [m, k] by [k, n].
struct ProductSize {
  let m: Int
  let n: Int
  let k: Int

  /// c = a b.
  func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>
  ) throws(TensorError) {
    guard k > 0 else { return c.update(repeating: 0, count: m * n) }
    if n == 1 { return dots(a, rows: m, by: b, count: k, into: c, adds: false) }
    if m == 1 {
      c.update(repeating: 0, count: n)
      return addRows(b, rows: k, width: n, times: a, to: c)
    }
    try Product(b, n: n, k: k, isTransposed: true).multiply(
      a, rows: m, into: GradientBuffer(c, adds: false))
  }

  /// da += g bᵀ.
  func addLeftGradient(
    _ g: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to da: UnsafeMutablePointer<Float>
  ) throws(TensorError) {
    guard k > 0 else { return }
    if m == 1 { return dots(b, rows: k, by: g, count: n, into: da, adds: true) }
    if n == 1 { return addOuter(g, b, rows: m, width: k, to: da) }
    try Product(b, n: k, k: n, isTransposed: false).multiply(
      g, rows: m, into: GradientBuffer(da, adds: true))
  }

  /// db += aᵀ g.
  func addRightGradient(
    _ g: UnsafePointer<Float>, _ a: UnsafePointer<Float>, to db: UnsafeMutablePointer<Float>
  ) throws(TensorError) {
    guard k > 0 else { return }
    if n == 1 { return addRows(a, rows: m, width: k, times: g, to: db) }
    if m == 1 { return addOuter(a, g, rows: k, width: n, to: db) }
    try weightGradient(a, g, rows: m, n: k, k: n, into: GradientBuffer(db, adds: true))
  }
}

/// y[i] = row i · x, or y[i] plus it.
private func dots(
  _ rows: UnsafePointer<Float>, rows count: Int, by x: UnsafePointer<Float>, count width: Int,
  into y: UnsafeMutablePointer<Float>, adds: Bool
) {
  Team.shared.forEach(count, atLeast: max(1, 65_536 / max(1, width))) { range in
    for i in range { y[i] = dot(rows + i * width, x, width) + (adds ? y[i] : 0) }
  }
}

/// y += the sum of factor[i] times row i.
private func addRows(
  _ rows: UnsafePointer<Float>, rows count: Int, width: Int, times factor: UnsafePointer<Float>,
  to y: UnsafeMutablePointer<Float>
) {
  // Each thread takes some columns of all rows; their sums stay in its cache.
  let pieces = blocks(width, size: 1024)
  Team.shared.forEach(pieces.count, atLeast: max(1, 65_536 / (1024 * max(1, count)))) { range in
    for piece in pieces[range] {
      for i in 0..<count {
        addScaled(
          factor[i], rows + i * width + piece.lowerBound, to: y + piece.lowerBound, piece.count)
      }
    }
  }
}

/// Row i of y += factor[i] times x.
private func addOuter(
  _ factor: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows count: Int, width: Int,
  to y: UnsafeMutablePointer<Float>
) {
  Team.shared.forEach(count, atLeast: max(1, 65_536 / max(1, width))) { range in
    for i in range { addScaled(factor[i], x, to: y + i * width, width) }
  }
}
