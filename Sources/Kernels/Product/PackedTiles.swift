// Register tiles of the packed product: a few rows of the factor by one panel of 32 columns,
// written out because the compiler keeps named sums in registers and arrays of them in memory. Each
// sum is one chain over k, in float32 whatever the weights are stored as; a tile of a later slice
// of k continues from the sums that the earlier slice left in y.

@_specialize(where W == Float)
@_specialize(where W == UInt32)
func tile1<W: PackedWeight>(
  _ panel: UnsafePointer<W>, _ k: Int, _ x: Factor, _ row: Int, _ y: Target, _ next: Upcoming
) {
  var (a0, b0) = y.start(row)
  let x0 = x.row(row)
  var w = panel
  var at = 0
  var ahead = next.pointer
  for _ in 0..<k {
    let (u, v) = W.row(at: w)
    w += W.rowSize
    Upcoming.fetch(ahead)
    ahead += next.pace
    let s = Vector(repeating: x0[at])
    a0 = a0.addingProduct(s, u)
    b0 = b0.addingProduct(s, v)
    at &+= x.step
  }
  y.put(a0, b0, row)
}

@_specialize(where W == Float)
@_specialize(where W == UInt32)
func tile2<W: PackedWeight>(
  _ panel: UnsafePointer<W>, _ k: Int, _ x: Factor, _ row: Int, _ y: Target, _ next: Upcoming
) {
  var (a0, b0) = y.start(row)
  var (a1, b1) = y.start(row + 1)
  let x0 = x.row(row), x1 = x.row(row + 1)
  var w = panel
  var at = 0
  var ahead = next.pointer
  for _ in 0..<k {
    let (u, v) = W.row(at: w)
    w += W.rowSize
    Upcoming.fetch(ahead)
    ahead += next.pace
    var s = Vector(repeating: x0[at])
    a0 = a0.addingProduct(s, u)
    b0 = b0.addingProduct(s, v)
    s = Vector(repeating: x1[at])
    a1 = a1.addingProduct(s, u)
    b1 = b1.addingProduct(s, v)
    at &+= x.step
  }
  y.put(a0, b0, row)
  y.put(a1, b1, row + 1)
}

@_specialize(where W == Float)
@_specialize(where W == UInt32)
func tile4<W: PackedWeight>(
  _ panel: UnsafePointer<W>, _ k: Int, _ x: Factor, _ row: Int, _ y: Target, _ next: Upcoming
) {
  var (a0, b0) = y.start(row)
  var (a1, b1) = y.start(row + 1)
  var (a2, b2) = y.start(row + 2)
  var (a3, b3) = y.start(row + 3)
  let x0 = x.row(row), x1 = x.row(row + 1), x2 = x.row(row + 2), x3 = x.row(row + 3)
  var w = panel
  var at = 0
  var ahead = next.pointer
  for _ in 0..<k {
    let (u, v) = W.row(at: w)
    w += W.rowSize
    Upcoming.fetch(ahead)
    ahead += next.pace
    var s = Vector(repeating: x0[at])
    a0 = a0.addingProduct(s, u)
    b0 = b0.addingProduct(s, v)
    s = Vector(repeating: x1[at])
    a1 = a1.addingProduct(s, u)
    b1 = b1.addingProduct(s, v)
    s = Vector(repeating: x2[at])
    a2 = a2.addingProduct(s, u)
    b2 = b2.addingProduct(s, v)
    s = Vector(repeating: x3[at])
    a3 = a3.addingProduct(s, u)
    b3 = b3.addingProduct(s, v)
    at &+= x.step
  }
  y.put(a0, b0, row)
  y.put(a1, b1, row + 1)
  y.put(a2, b2, row + 2)
  y.put(a3, b3, row + 3)
}

@_specialize(where W == Float)
@_specialize(where W == UInt32)
func tile8<W: PackedWeight>(
  _ panel: UnsafePointer<W>, _ k: Int, _ x: Factor, _ row: Int, _ y: Target, _ next: Upcoming
) {
  var (a0, b0) = y.start(row)
  var (a1, b1) = y.start(row + 1)
  var (a2, b2) = y.start(row + 2)
  var (a3, b3) = y.start(row + 3)
  var (a4, b4) = y.start(row + 4)
  var (a5, b5) = y.start(row + 5)
  var (a6, b6) = y.start(row + 6)
  var (a7, b7) = y.start(row + 7)
  let x0 = x.row(row), x1 = x.row(row + 1), x2 = x.row(row + 2), x3 = x.row(row + 3)
  let x4 = x.row(row + 4), x5 = x.row(row + 5), x6 = x.row(row + 6), x7 = x.row(row + 7)
  var w = panel
  var at = 0
  var ahead = next.pointer
  for _ in 0..<k {
    let (u, v) = W.row(at: w)
    w += W.rowSize
    Upcoming.fetch(ahead)
    ahead += next.pace
    var s = Vector(repeating: x0[at])
    a0 = a0.addingProduct(s, u)
    b0 = b0.addingProduct(s, v)
    s = Vector(repeating: x1[at])
    a1 = a1.addingProduct(s, u)
    b1 = b1.addingProduct(s, v)
    s = Vector(repeating: x2[at])
    a2 = a2.addingProduct(s, u)
    b2 = b2.addingProduct(s, v)
    s = Vector(repeating: x3[at])
    a3 = a3.addingProduct(s, u)
    b3 = b3.addingProduct(s, v)
    s = Vector(repeating: x4[at])
    a4 = a4.addingProduct(s, u)
    b4 = b4.addingProduct(s, v)
    s = Vector(repeating: x5[at])
    a5 = a5.addingProduct(s, u)
    b5 = b5.addingProduct(s, v)
    s = Vector(repeating: x6[at])
    a6 = a6.addingProduct(s, u)
    b6 = b6.addingProduct(s, v)
    s = Vector(repeating: x7[at])
    a7 = a7.addingProduct(s, u)
    b7 = b7.addingProduct(s, v)
    at &+= x.step
  }
  y.put(a0, b0, row)
  y.put(a1, b1, row + 1)
  y.put(a2, b2, row + 2)
  y.put(a3, b3, row + 3)
  y.put(a4, b4, row + 4)
  y.put(a5, b5, row + 5)
  y.put(a6, b6, row + 6)
  y.put(a7, b7, row + 7)
}

/// One row by four panels, so that eight chains hide the latency of the additions.
@_specialize(where W == Float)
@_specialize(where W == UInt32)
func tile1x4<W: PackedWeight>(
  _ panels: UnsafePointer<W>, _ k: Int, _ x: Factor, _ row: Int, _ y: Target, _ columns: Int
) {
  let (y1, y2, y3) = (y.panel(1, of: columns), y.panel(2, of: columns), y.panel(3, of: columns))
  var (a0, b0) = y.start(row)
  var (a1, b1) = y1.start(row)
  var (a2, b2) = y2.start(row)
  var (a3, b3) = y3.start(row)
  let size = k * W.rowSize
  let x0 = x.row(row)
  var w = panels
  var at = 0
  for _ in 0..<k {
    let s = Vector(repeating: x0[at])
    let (u0, v0) = W.row(at: w), (u1, v1) = W.row(at: w + size)
    let (u2, v2) = W.row(at: w + 2 * size), (u3, v3) = W.row(at: w + 3 * size)
    a0 = a0.addingProduct(s, u0)
    b0 = b0.addingProduct(s, v0)
    a1 = a1.addingProduct(s, u1)
    b1 = b1.addingProduct(s, v1)
    a2 = a2.addingProduct(s, u2)
    b2 = b2.addingProduct(s, v2)
    a3 = a3.addingProduct(s, u3)
    b3 = b3.addingProduct(s, v3)
    w += W.rowSize
    at &+= x.step
  }
  y.put(a0, b0, row)
  y1.put(a1, b1, row)
  y2.put(a2, b2, row)
  y3.put(a3, b3, row)
}
