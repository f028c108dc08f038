// Register tiles of the packed product: a few rows of the factor by one panel of 32 columns, written out because the
// compiler keeps named sums in registers and arrays of them in memory. Each sum is one chain over k, in float32 whatever
// the weights are stored as.

/// What packed weights are stored as.
protocol PackedWeight {
  /// Elements that hold the 32 weights of a row of a panel.
  static var rowSize: Int { get }
  /// The 32 weights of a row of a panel.
  static func row(at pointer: UnsafePointer<Self>) -> (Vector, Vector)
}

extension Float: PackedWeight {
  static var rowSize: Int { panelWidth }

  @inline(__always)
  static func row(at pointer: UnsafePointer<Float>) -> (Vector, Vector) {
    (Vector(at: pointer), Vector(at: pointer + 16))
  }
}

/// Two bfloat16, of columns c (low half) and c + 16: both widen by one instruction.
extension UInt32: PackedWeight {
  static var rowSize: Int { panelWidth / 2 }

  @inline(__always)
  static func row(at pointer: UnsafePointer<UInt32>) -> (Vector, Vector) {
    let pairs = UnsafeRawPointer(pointer).loadUnaligned(as: SIMD16<UInt32>.self)
    return (
      unsafeBitCast(pairs &<< 16, to: Vector.self),
      unsafeBitCast(pairs & 0xFFFF_0000, to: Vector.self)
    )
  }
}

/// Where the sums of one panel go.
struct Target {
  /// Row 0 at the panel's first column.
  let pointer: UnsafeMutablePointer<Float>
  /// Floats from one row to the next.
  let stride: Int
  /// Columns of the panel that exist: 1 to 32.
  let width: Int
  /// Whether sums are added to what is there.
  let adding: Bool

  @inline(__always)
  func put(_ a: Vector, _ b: Vector, _ row: Int) {
    let y = pointer + row * stride
    guard width == panelWidth else { return putPart(a, b, y) }
    (adding ? a + Vector(at: y) : a).store(to: y)
    (adding ? b + Vector(at: y + 16) : b).store(to: y + 16)
  }

  @inline(never)
  private func putPart(_ a: Vector, _ b: Vector, _ y: UnsafeMutablePointer<Float>) {
    putPart(a, y, min(16, width))
    if width > 16 { putPart(b, y + 16, width - 16) }
  }

  /// The same rows at a later panel, of a block that has `columns` columns from here on.
  @inline(__always)
  func panel(_ index: Int, of columns: Int) -> Target {
    let first = index * panelWidth
    return Target(
      pointer: pointer + first, stride: stride, width: min(panelWidth, columns - first),
      adding: adding)
  }

  private func putPart(_ a: Vector, _ y: UnsafeMutablePointer<Float>, _ count: Int) {
    if count == 16 {
      (adding ? a + Vector(at: y) : a).store(to: y)
    } else {
      (adding ? a + Vector(at: y, count: count) : a).store(to: y, count: count)
    }
  }
}

@_specialize(where W == Float)
@_specialize(where W == UInt32)
func tile1<W: PackedWeight>(
  _ panel: UnsafePointer<W>, _ k: Int, _ x: Factor, _ row: Int, _ y: Target
) {
  var a0 = Vector.zero
  var b0 = Vector.zero
  let x0 = x.row(row)
  var w = panel
  var at = 0
  for _ in 0..<k {
    let (u, v) = W.row(at: w)
    w += W.rowSize
    let s = Vector(repeating: x0[at])
    a0 = a0.addingProduct(s, u)
    b0 = b0.addingProduct(s, v)
    at += x.step
  }
  y.put(a0, b0, row)
}

@_specialize(where W == Float)
@_specialize(where W == UInt32)
func tile2<W: PackedWeight>(
  _ panel: UnsafePointer<W>, _ k: Int, _ x: Factor, _ row: Int, _ y: Target
) {
  var a0 = Vector.zero, a1 = Vector.zero
  var b0 = Vector.zero, b1 = Vector.zero
  let x0 = x.row(row), x1 = x.row(row + 1)
  var w = panel
  var at = 0
  for _ in 0..<k {
    let (u, v) = W.row(at: w)
    w += W.rowSize
    var s = Vector(repeating: x0[at])
    a0 = a0.addingProduct(s, u)
    b0 = b0.addingProduct(s, v)
    s = Vector(repeating: x1[at])
    a1 = a1.addingProduct(s, u)
    b1 = b1.addingProduct(s, v)
    at += x.step
  }
  y.put(a0, b0, row)
  y.put(a1, b1, row + 1)
}

@_specialize(where W == Float)
@_specialize(where W == UInt32)
func tile4<W: PackedWeight>(
  _ panel: UnsafePointer<W>, _ k: Int, _ x: Factor, _ row: Int, _ y: Target
) {
  var a0 = Vector.zero, a1 = Vector.zero, a2 = Vector.zero, a3 = Vector.zero
  var b0 = Vector.zero, b1 = Vector.zero, b2 = Vector.zero, b3 = Vector.zero
  let x0 = x.row(row), x1 = x.row(row + 1), x2 = x.row(row + 2), x3 = x.row(row + 3)
  var w = panel
  var at = 0
  for _ in 0..<k {
    let (u, v) = W.row(at: w)
    w += W.rowSize
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
    at += x.step
  }
  y.put(a0, b0, row)
  y.put(a1, b1, row + 1)
  y.put(a2, b2, row + 2)
  y.put(a3, b3, row + 3)
}

@_specialize(where W == Float)
@_specialize(where W == UInt32)
func tile8<W: PackedWeight>(
  _ panel: UnsafePointer<W>, _ k: Int, _ x: Factor, _ row: Int, _ y: Target
) {
  var a0 = Vector.zero, a1 = Vector.zero, a2 = Vector.zero, a3 = Vector.zero
  var a4 = Vector.zero, a5 = Vector.zero, a6 = Vector.zero, a7 = Vector.zero
  var b0 = Vector.zero, b1 = Vector.zero, b2 = Vector.zero, b3 = Vector.zero
  var b4 = Vector.zero, b5 = Vector.zero, b6 = Vector.zero, b7 = Vector.zero
  let x0 = x.row(row), x1 = x.row(row + 1), x2 = x.row(row + 2), x3 = x.row(row + 3)
  let x4 = x.row(row + 4), x5 = x.row(row + 5), x6 = x.row(row + 6), x7 = x.row(row + 7)
  var w = panel
  var at = 0
  for _ in 0..<k {
    let (u, v) = W.row(at: w)
    w += W.rowSize
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
    at += x.step
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
  var a0 = Vector.zero, b0 = Vector.zero, a1 = Vector.zero, b1 = Vector.zero
  var a2 = Vector.zero, b2 = Vector.zero, a3 = Vector.zero, b3 = Vector.zero
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
    at += x.step
  }
  y.put(a0, b0, row)
  y.panel(1, of: columns).put(a1, b1, row)
  y.panel(2, of: columns).put(a2, b2, row)
  y.panel(3, of: columns).put(a3, b3, row)
}
