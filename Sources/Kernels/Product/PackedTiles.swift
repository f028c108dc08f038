// Register tiles of the packed product: a few rows of the factor by one panel of 32 columns. Each
// sum is one chain over k, in float32 whatever the weights are stored as; a tile of a later slice
// of k continues from the sums that the earlier slice left in y.

/// The sums of a tile's rows, which the compiler keeps in registers: nested pairs, as it keeps
/// arrays in memory.
protocol TileRows {
  static var count: Int { get }
  init(_ x: Factor, _ row: Int, _ y: Target)
  /// Adds element `at` of each row times the weights u and v.
  mutating func add(_ at: Int, _ u: Vector, _ v: Vector)
  func put(_ row: Int, _ y: Target)
}

/// One row: 32 sums.
struct TileRow: TileRows {
  static var count: Int { 1 }
  private let x: UnsafePointer<Float>
  private var a, b: Vector

  @inline(__always)
  init(_ x: Factor, _ row: Int, _ y: Target) {
    self.x = x.row(row)
    (a, b) = y.start(row)
  }

  @inline(__always)
  mutating func add(_ at: Int, _ u: Vector, _ v: Vector) {
    let s = Vector(repeating: x[at])
    a = a.addingProduct(s, u)
    b = b.addingProduct(s, v)
  }

  @inline(__always)
  func put(_ row: Int, _ y: Target) { y.put(a, b, row) }
}

/// Twice as many rows.
struct Twice<Rows: TileRows>: TileRows {
  static var count: Int { 2 * Rows.count }
  private var first, second: Rows

  @inline(__always)
  init(_ x: Factor, _ row: Int, _ y: Target) {
    first = Rows(x, row, y)
    second = Rows(x, row + Rows.count, y)
  }

  @inline(__always)
  mutating func add(_ at: Int, _ u: Vector, _ v: Vector) {
    first.add(at, u, v)
    second.add(at, u, v)
  }

  @inline(__always)
  func put(_ row: Int, _ y: Target) {
    first.put(row, y)
    second.put(row + Rows.count, y)
  }
}

/// Tiles of 1, 2, 4 and 8 rows.
typealias Rows1 = TileRow
typealias Rows2 = Twice<Rows1>
typealias Rows4 = Twice<Rows2>
typealias Rows8 = Twice<Rows4>

/// The rows from `row` on by one panel.
@_specialize(where Rows == Rows1, W == Float)
@_specialize(where Rows == Rows2, W == Float)
@_specialize(where Rows == Rows4, W == Float)
@_specialize(where Rows == Rows8, W == Float)
@_specialize(where Rows == Rows1, W == UInt32)
@_specialize(where Rows == Rows2, W == UInt32)
@_specialize(where Rows == Rows4, W == UInt32)
@_specialize(where Rows == Rows8, W == UInt32)
func multiplyTile<Rows: TileRows, W: PackedWeight>(
  _: Rows.Type, _ panel: UnsafePointer<W>, _ k: Int, _ x: Factor, _ row: Int, _ y: Target,
  _ next: Upcoming
) {
  var sums = Rows(x, row, y)
  var w = panel
  var at = 0
  var ahead = next.pointer
  for _ in 0..<k {
    let (u, v) = W.row(at: w)
    w += W.rowSize
    Upcoming.fetch(ahead)
    ahead += next.pace
    sums.add(at, u, v)
    at &+= x.step
  }
  sums.put(row, y)
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
