// Normalisation of rows: by their root mean square (Zhang and Sennrich, arXiv 1910.07467), and by
// mean and variance (Ba, Kiros and Hinton, arXiv 1607.06450).

/// y = x w / sqrt(mean(x²) + epsilon) for one row; returns 1 / sqrt(…), which the gradient needs.
@discardableResult
public func rmsNorm(
  _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, epsilon: Float,
  into y: UnsafeMutablePointer<Float>, _ count: Int
) -> Float {
  let inverse = 1 / (dot(x, x, count) / Float(count) + epsilon).squareRoot()
  var i = 0
  while i + 16 <= count {
    (Vector(at: x + i) * inverse * Vector(at: w + i)).store(to: y + i)
    i += 16
  }
  while i < count {
    y[i] = x[i] * inverse * w[i]
    i += 1
  }
  return inverse
}

/// The gradient of `rmsNorm`, put to `dx` and, where given, added to `dw`.
///
/// With r = 1 / sqrt(mean(x²) + ε):  dx = r w dy − x r³ / C · Σ(w dy x),  dw = dy x r.
public func rmsNormBackward(
  _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, inverse r: Float,
  gradient dy: UnsafePointer<Float>, dx: GradientBuffer?, dw: UnsafeMutablePointer<Float>?,
  _ count: Int
) {
  if let dw { addScaledProduct(r, dy, x, to: dw, count) }
  guard let dx else { return }
  var total = Vector.zero
  var i = 0
  while i + 16 <= count {
    total = total.addingProduct(Vector(at: w + i) * Vector(at: dy + i), Vector(at: x + i))
    i &+= 16
  }
  var sum = total.total
  while i < count {
    sum += w[i] * dy[i] * x[i]
    i += 1
  }
  let pull = r * r * r / Float(count) * sum
  i = 0
  while i + 16 <= count {
    dx.put(Vector(at: w + i) * Vector(at: dy + i) * r - Vector(at: x + i) * pull, at: i)
    i &+= 16
  }
  while i < count {
    let value = w[i] * dy[i] * r - x[i] * pull
    dx.pointer[i] = dx.adds ? dx.pointer[i] + value : value
    i += 1
  }
}

/// y[i] += a[i] b[i] scale.
private func addScaledProduct(
  _ scale: Float, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
  to y: UnsafeMutablePointer<Float>, _ count: Int
) {
  var i = 0
  while i + 16 <= count {
    (Vector(at: y + i) + Vector(at: a + i) * Vector(at: b + i) * scale).store(to: y + i)
    i &+= 16
  }
  while i < count {
    y[i] += a[i] * b[i] * scale
    i += 1
  }
}

/// y = (x − mean) w / sqrt(variance + epsilon) + b for one row; returns the mean and 1 / sqrt(…)
/// for the gradient.
@discardableResult
public func layerNorm(
  _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, bias b: UnsafePointer<Float>,
  epsilon: Float, into y: UnsafeMutablePointer<Float>, _ count: Int
) -> (mean: Float, inverse: Float) {
  let mean = sum(x, count) / Float(count)
  for i in 0..<count { y[i] = x[i] - mean }
  let inverse = 1 / (dot(y, y, count) / Float(count) + epsilon).squareRoot()
  for i in 0..<count { y[i] = y[i] * inverse * w[i] + b[i] }
  return (mean, inverse)
}

/// Adds the gradient of `layerNorm` to `dx` and, where given, to `dw` and `db`.
///
/// With r = 1 / sqrt(variance + ε), n = (x − mean) r and g = w dy:  dx = r (g − mean(g) − n mean(g
/// n)),  dw = dy n, db = dy.
public func layerNormBackward(
  _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, mean: Float, inverse r: Float,
  gradient dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>?,
  dw: UnsafeMutablePointer<Float>?, db: UnsafeMutablePointer<Float>?, _ count: Int
) {
  if let dw { for i in 0..<count { dw[i] += dy[i] * ((x[i] - mean) * r) } }
  if let db { add(dy, to: db, count) }
  guard let dx else { return }
  var (pull, turn) = (Vector.zero, Vector.zero)
  var i = 0
  while i < count {
    let lanes = min(16, count - i)
    let g = load(w + i, lanes) * load(dy + i, lanes)
    pull += g
    turn = turn.addingProduct(g, load(x + i, lanes) - mean)
    i += 16
  }
  let share = pull.total / Float(count)
  let slope = turn.total * r / Float(count)
  for i in 0..<count { dx[i] += r * (w[i] * dy[i] - share - (x[i] - mean) * r * slope) }
}
