import CPrefetch

// Register tiles of the packed product: a few rows of the factor by one panel of 32 columns, written out because the
// compiler keeps named sums in registers and arrays of them in memory. Each sum is one chain over k, in float32 whatever
// the weights are stored as; a tile that goes on in a later slice of k goes on with the sums that the earlier one left in y.

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
  /// Whether sums go on from what is there.
  let continues: Bool

  /// What the sums of a row begin with.
  @inline(__always)
  func start(_ row: Int) -> (Vector, Vector) {
    guard continues else { return (.zero, .zero) }
    let y = pointer + row * stride
    return width == panelWidth ? (Vector(at: y), Vector(at: y + 16)) : startPart(y)
  }

  @inline(__always)
  func put(_ a: Vector, _ b: Vector, _ row: Int) {
    let y = pointer + row * stride
    guard width == panelWidth else { return putPart(a, b, y) }
    a.store(to: y)
    b.store(to: y + 16)
  }

  @inline(never)
  private func startPart(_ y: UnsafeMutablePointer<Float>) -> (Vector, Vector) {
    guard width > 16 else { return (load(y, width), .zero) }
    return (Vector(at: y), load(y + 16, width - 16))
  }

  @inline(never)
  private func putPart(_ a: Vector, _ b: Vector, _ y: UnsafeMutablePointer<Float>) {
    guard width > 16 else { return putPart(a, y, width) }
    a.store(to: y)
    putPart(b, y + 16, width - 16)
  }

  private func putPart(_ a: Vector, _ y: UnsafeMutablePointer<Float>, _ count: Int) {
    if count == 16 { a.store(to: y) } else { a.store(to: y, count: count) }
  }

  /// The same rows at a later panel, of a block that has `columns` columns from here on.
  @inline(__always)
  func panel(_ index: Int, of columns: Int) -> Target {
    let first = index * panelWidth
    return Target(
      pointer: pointer + first, stride: stride, width: min(panelWidth, columns - first),
      continues: continues)
  }
}

/// The weights that are needed next, which a tile asks for while it computes: a few bytes for each of its steps.
struct Upcoming {
  private(set) var pointer: UnsafeRawPointer
  /// Bytes per step.
  let pace: Int

  /// What the only tile of a panel needs itself 64 steps later.
  init<W: PackedWeight>(within weights: UnsafePointer<W>) {
    pointer = UnsafeRawPointer(weights + 64 * W.rowSize)
    pace = W.rowSize * MemoryLayout<W>.size
  }

  /// Weights of which each of `tiles` tiles asks for a share.
  init<W: PackedWeight>(_ weights: UnsafePointer<W>, tiles: Int) {
    pointer = UnsafeRawPointer(weights)
    pace = W.rowSize * MemoryLayout<W>.size / min(tiles, 8)
  }

  /// What is left for the next tile after one of `steps` steps.
  mutating func advance(by steps: Int) { pointer += steps * pace }

  /// Asks for the weights of one step, two cache lines or less.
  @inline(__always)
  static func fetch(_ pointer: UnsafeRawPointer) {
    prefetch(pointer)
    prefetch(pointer + 64)
  }
}

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
