// Row primitives over contiguous floats, used by everything else. Each has one fixed order of
// summation, so a result depends on the row alone.

/// The sum over i of a[i] b[i].
public func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
  var first = Vector.zero
  var second = Vector.zero
  var i = 0
  while i + 32 <= count {
    first = first.addingProduct(Vector(at: a + i), Vector(at: b + i))
    second = second.addingProduct(Vector(at: a + i + 16), Vector(at: b + i + 16))
    i += 32
  }
  if i + 16 <= count {
    first = first.addingProduct(Vector(at: a + i), Vector(at: b + i))
    i += 16
  }
  var rest: Float = 0
  while i < count {
    rest += a[i] * b[i]
    i += 1
  }
  return (first + second).total + rest
}

/// The sum of a row.
public func sum(_ a: UnsafePointer<Float>, _ count: Int) -> Float {
  var first = Vector.zero
  var i = 0
  while i + 16 <= count {
    first += Vector(at: a + i)
    i += 16
  }
  var rest: Float = 0
  while i < count {
    rest += a[i]
    i += 1
  }
  return first.total + rest
}

/// The largest element of a row; -infinity for an empty one. NaNs are ignored.
public func maximum(_ a: UnsafePointer<Float>, _ count: Int) -> Float {
  var best = Vector(repeating: -.infinity)
  var i = 0
  while i + 16 <= count {
    best = maximum(best, Vector(at: a + i))
    i += 16
  }
  var result = best.largest
  while i < count {
    if a[i] > result { result = a[i] }
    i += 1
  }
  return result
}

/// y[i] += alpha x[i].
public func addScaled(
  _ alpha: Float, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, _ count: Int
) {
  let factor = Vector(repeating: alpha)
  var i = 0
  while i + 16 <= count {
    Vector(at: y + i).addingProduct(factor, Vector(at: x + i)).store(to: y + i)
    i += 16
  }
  while i < count {
    y[i] = y[i].addingProduct(alpha, x[i])
    i += 1
  }
}

/// y[i] += x[i].
public func add(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, _ count: Int) {
  var i = 0
  while i + 16 <= count {
    (Vector(at: y + i) + Vector(at: x + i)).store(to: y + i)
    i += 16
  }
  while i < count {
    y[i] += x[i]
    i += 1
  }
}

/// y[i] = alpha x[i]; `x` and `y` may be the same row.
public func scale(
  _ alpha: Float, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ count: Int
) {
  var i = 0
  while i + 16 <= count {
    (Vector(at: x + i) * alpha).store(to: y + i)
    i += 16
  }
  while i < count {
    y[i] = x[i] * alpha
    i += 1
  }
}

/// y[i] = exp(x[i] * factor - shift), returning the sum of the y; `x` and `y` may be the same row.
@discardableResult
public func exponential(
  _ x: UnsafePointer<Float>, times factor: Float = 1, minus shift: Float,
  into y: UnsafeMutablePointer<Float>, _ count: Int
) -> Float {
  var total = Vector.zero
  var i = 0
  while i + 16 <= count {
    let value = exponential(Vector(at: x + i) * factor - shift)
    value.store(to: y + i)
    total += value
    i += 16
  }
  if i < count {
    let rest = count - i
    let value = exponential(
      Vector(at: x + i, count: rest, filler: -.infinity) * factor - shift)
    value.store(to: y + i, count: rest)
    // Lanes beyond the row would be NaN for a factor of 0; they are never added.
    for lane in 0..<rest { total[lane] += value[lane] }
  }
  return total.total
}
