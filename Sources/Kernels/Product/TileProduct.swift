import CPrefetch

// Small products y = a b or y += a b with strided operands, the building block of attention.
//
// A tile of up to 4 rows by 4 vectors of y stays in registers while its depth is run through, so
// that 16 chains of additions hide each other's latency and each loaded element serves four of
// them. Each element of y is one chain of fused multiply-adds over depth 0, 1, 2 …, so its bits do
// not depend on the tile.

/// Strides of an operand: element (i, j) is at `i * rowStep + j * step`.
struct Grid<Element> {
  let pointer: UnsafePointer<Element>
  let rowStep: Int
  let step: Int

  @inline(__always)
  init(_ pointer: UnsafePointer<Element>, rowStep: Int, step: Int) {
    (self.pointer, self.rowStep, self.step) = (pointer, rowStep, step)
  }

  /// The grid that begins with row `index`.
  func row(_ index: Int) -> Grid { Grid(pointer + index * rowStep, rowStep: rowStep, step: step) }
}

/// y [rows, columns] = a b, or y += a b, for up to 4 rows.
///
/// - Parameters:
///   - a: [rows, depth].
///   - b: [depth, ⌈columns/16⌉] vectors of 16 columns, in pairs where a word holds two numbers (see
///     `TileElement`).
///   - y: rows like those of `b`: vector (row, j) is at `row * rowStep + j * step`.
///   - columns: a multiple of 16 unless the vectors of b and y are contiguous.
///   - ahead: the operand like b that is read next; the first tile prefetches as much of it per
///     step as it reads.
func multiplyTile<E: TileElement>(
  _ a: Grid<Float>, _ b: Grid<E>, rows: Int, columns: Int, depth: Int,
  into y: UnsafeMutablePointer<Float>, rowStep: Int, step: Int, adding: Bool = false,
  ahead: UnsafeRawPointer? = nil
) {
  var vector = 0
  while (vector + 1) * 16 <= columns {
    let part = Part(
      a: a, b: Grid(b.pointer + vector * b.step, rowStep: b.rowStep, step: b.step), depth: depth,
      y: y + vector * step, rowStep: rowStep, step: step, adding: adding,
      ahead: vector == 0 ? ahead ?? UnsafeRawPointer(b.pointer) : UnsafeRawPointer(b.pointer))
    switch min(4, columns / 16 - vector) {
    case 4: part.multiply(rows, Four.self)
    case 3: part.multiply(rows, Three.self)
    case 2: part.multiply(rows, Two.self)
    default: part.multiply(rows, One.self)
    }
    vector += 4
  }
  for column in columns / 16 * 16..<columns {
    for row in 0..<rows {
      var sum = adding ? y[row * rowStep + column] : 0
      for k in 0..<depth {
        sum = sum.addingProduct(
          a.pointer[row * a.rowStep + k * a.step], E.column(column, of: b.pointer + k * b.rowStep))
      }
      y[row * rowStep + column] = sum
    }
  }
}

/// Adjacent vectors, as variables that the compiler keeps in registers.
private protocol Strip {
  static var zero: Self { get }
  init<E: TileElement>(at pointer: UnsafePointer<E>, _ step: Int)
  func store(to pointer: UnsafeMutablePointer<Float>, _ step: Int)
  mutating func addProduct(_ factor: Float, _ other: Self)
}

private struct One: Strip {
  var a: Vector
  static var zero: One { @inline(__always) get { One(a: .zero) } }
  @inline(__always) init(a: Vector) { self.a = a }
  @inline(__always) init<E: TileElement>(at p: UnsafePointer<E>, _ step: Int) { a = E.one(at: p) }
  @inline(__always) func store(to p: UnsafeMutablePointer<Float>, _ step: Int) { a.store(to: p) }
  @inline(__always) mutating func addProduct(_ factor: Float, _ x: One) {
    a = a.addingProduct(Vector(repeating: factor), x.a)
  }
}

private struct Two: Strip {
  var a, b: Vector
  static var zero: Two { @inline(__always) get { Two(a: .zero, b: .zero) } }
  @inline(__always) init(a: Vector, b: Vector) { (self.a, self.b) = (a, b) }
  @inline(__always) init<E: TileElement>(at p: UnsafePointer<E>, _ step: Int) {
    (a, b) = E.two(at: p, step)
  }
  @inline(__always) func store(to p: UnsafeMutablePointer<Float>, _ step: Int) {
    a.store(to: p)
    b.store(to: p + step)
  }
  @inline(__always) mutating func addProduct(_ factor: Float, _ x: Two) {
    let s = Vector(repeating: factor)
    a = a.addingProduct(s, x.a)
    b = b.addingProduct(s, x.b)
  }
}

private struct Three: Strip {
  var ab: Two
  var c: Vector
  static var zero: Three { @inline(__always) get { Three(ab: .zero, c: .zero) } }
  @inline(__always) init(ab: Two, c: Vector) { (self.ab, self.c) = (ab, c) }
  @inline(__always) init<E: TileElement>(at p: UnsafePointer<E>, _ step: Int) {
    (ab, c) = (Two(at: p, step), E.one(at: p + 2 * step))
  }
  @inline(__always) func store(to p: UnsafeMutablePointer<Float>, _ step: Int) {
    ab.store(to: p, step)
    c.store(to: p + 2 * step)
  }
  @inline(__always) mutating func addProduct(_ factor: Float, _ x: Three) {
    ab.addProduct(factor, x.ab)
    c = c.addingProduct(Vector(repeating: factor), x.c)
  }
}

private struct Four: Strip {
  var ab, cd: Two
  static var zero: Four { @inline(__always) get { Four(ab: .zero, cd: .zero) } }
  @inline(__always) init(ab: Two, cd: Two) { (self.ab, self.cd) = (ab, cd) }
  @inline(__always) init<E: TileElement>(at p: UnsafePointer<E>, _ step: Int) {
    (ab, cd) = (Two(at: p, step), Two(at: p + 2 * step, step))
  }
  @inline(__always) func store(to p: UnsafeMutablePointer<Float>, _ step: Int) {
    ab.store(to: p, step)
    cd.store(to: p + 2 * step, step)
  }
  @inline(__always) mutating func addProduct(_ factor: Float, _ x: Four) {
    ab.addProduct(factor, x.ab)
    cd.addProduct(factor, x.cd)
  }
}

/// One strip's width of a tile.
private struct Part<E: TileElement> {
  let a: Grid<Float>
  let b: Grid<E>
  let depth: Int
  let y: UnsafeMutablePointer<Float>
  let rowStep: Int
  let step: Int
  let adding: Bool
  let ahead: UnsafeRawPointer

  @inline(__always)
  func multiply<S: Strip>(_ rows: Int, _: S.Type) {
    switch rows {
    case 1: one(S.self)
    case 2: two(S.self)
    default: four(rows, S.self)
    }
  }

  /// Prefetches what a later tile reads in one step.
  @inline(__always)
  private func fetch(_ ahead: inout UnsafeRawPointer) {
    for line in 0..<E.cacheLines { prefetch(ahead + line * 64) }
    ahead += b.rowStep * MemoryLayout<E>.stride
  }

  @inline(__always)
  private func start<S: Strip>(_ row: Int, _: S.Type) -> S {
    adding ? S(at: y + row * rowStep, step) : .zero
  }

  @inline(__always)
  private func one<S: Strip>(_: S.Type) {
    var sum = start(0, S.self)
    var (left, right, ahead) = (a.pointer, b.pointer, ahead)
    for _ in 0..<depth {
      fetch(&ahead)
      sum.addProduct(left.pointee, S(at: right, b.step))
      left += a.step
      right += b.rowStep
    }
    sum.store(to: y, step)
  }

  @inline(__always)
  private func two<S: Strip>(_: S.Type) {
    var s0 = start(0, S.self), s1 = start(1, S.self)
    let (a0, a1) = (a.pointer, a.pointer + a.rowStep)
    var at = 0
    var (right, ahead) = (b.pointer, ahead)
    for _ in 0..<depth {
      fetch(&ahead)
      let v = S(at: right, b.step)
      s0.addProduct(a0[at], v)
      s1.addProduct(a1[at], v)
      at &+= a.step
      right += b.rowStep
    }
    s0.store(to: y, step)
    s1.store(to: y + rowStep, step)
  }

  /// Three or four rows; of three, the last is computed twice.
  @inline(__always)
  private func four<S: Strip>(_ rows: Int, _: S.Type) {
    let last = rows - 1
    var s0 = start(0, S.self), s1 = start(1, S.self), s2 = start(2, S.self)
    var s3 = start(last, S.self)
    let (a0, a1) = (a.pointer, a.pointer + a.rowStep)
    let (a2, a3) = (a.pointer + 2 * a.rowStep, a.pointer + last * a.rowStep)
    var at = 0
    var (right, ahead) = (b.pointer, ahead)
    for _ in 0..<depth {
      fetch(&ahead)
      let v = S(at: right, b.step)
      s0.addProduct(a0[at], v)
      s1.addProduct(a1[at], v)
      s2.addProduct(a2[at], v)
      s3.addProduct(a3[at], v)
      at &+= a.step
      right += b.rowStep
    }
    s0.store(to: y, step)
    s1.store(to: y + rowStep, step)
    s2.store(to: y + 2 * rowStep, step)
    s3.store(to: y + last * rowStep, step)
  }
}
