// Element-wise loops over rows: the function is a closure on sixteen floats that is inlined into
// the loop.
//
// The end of a row goes through the same closure, padded, so an element's result does not depend on
// its position.

/// A row of floats, or one float that stands for a row of equal ones (`step` 0).
public struct Row {
  /// The first element.
  public let pointer: UnsafePointer<Float>
  /// 1 for a row, 0 for a repeated element.
  public let step: Int

  /// The row at `pointer`.
  @inlinable @inline(__always)
  public init(_ pointer: UnsafePointer<Float>, step: Int = 1) {
    self.pointer = pointer
    self.step = step
  }

  /// Elements i to i + 15.
  @inlinable @inline(__always)
  public func vector(at i: Int) -> Vector {
    step == 0 ? Vector(repeating: pointer[0]) : Vector(at: pointer + i)
  }

  /// The `count` (1 to 15) elements from i on, padded with zeros.
  @inlinable @inline(__always)
  public func vector(at i: Int, count: Int) -> Vector {
    step == 0 ? Vector(repeating: pointer[0]) : Vector(at: pointer + i, count: count)
  }
}

/// y[i] = f(x[i]); `x` and `y` may be the same row.
@inlinable @inline(__always)
public func map(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ count: Int,
  _ f: (Vector) -> Vector
) {
  var i = 0
  while i + 16 <= count {
    f(Vector(at: x + i)).store(to: y + i)
    i += 16
  }
  if i < count {
    f(Vector(at: x + i, count: count - i)).store(to: y + i, count: count - i)
  }
}

/// y[i] = f(a[i], b[i]).
@inlinable @inline(__always)
public func zip(
  _ a: Row, _ b: Row, into y: UnsafeMutablePointer<Float>, _ count: Int,
  _ f: (Vector, Vector) -> Vector
) {
  var i = 0
  while i + 16 <= count {
    f(a.vector(at: i), b.vector(at: i)).store(to: y + i)
    i += 16
  }
  if i < count {
    let rest = count - i
    f(a.vector(at: i, count: rest), b.vector(at: i, count: rest)).store(to: y + i, count: rest)
  }
}

/// y[i] += f(g[i], a[i], b[i]), or y[i] = … unless `adding`: how gradients are propagated.
@inlinable @inline(__always)
public func accumulate(
  _ g: UnsafePointer<Float>, _ a: Row, _ b: Row, adding: Bool = true,
  into y: UnsafeMutablePointer<Float>, _ count: Int, _ f: (Vector, Vector, Vector) -> Vector
) {
  var i = 0
  while i + 16 <= count {
    let value = f(Vector(at: g + i), a.vector(at: i), b.vector(at: i))
    (adding ? Vector(at: y + i) + value : value).store(to: y + i)
    i += 16
  }
  if i < count {
    let rest = count - i
    let value = f(
      Vector(at: g + i, count: rest), a.vector(at: i, count: rest), b.vector(at: i, count: rest))
    let sum = adding ? Vector(at: y + i, count: rest) + value : value
    sum.store(to: y + i, count: rest)
  }
}
