// Normalisation of rows: by their root mean square (Zhang and Sennrich, arXiv 1910.07467), and by mean and variance (Ba,
// Kiros and Hinton, arXiv 1607.06450).

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
  if let dw {
    let sums = GradientBuffer(dw, adds: true)
    forEachVector(count) { i, lanes in
      sums.put(load(dy + i, lanes) * load(x + i, lanes) * r, at: i, lanes)
    }
  }
  guard let dx else { return }
  var total = Vector.zero
  forEachVector(count) { i, lanes in
    total = total.addingProduct(load(w + i, lanes) * load(dy + i, lanes), load(x + i, lanes))
  }
  let pull = r * r * r / Float(count) * total.total
  forEachVector(count) { i, lanes in
    dx.put(load(w + i, lanes) * load(dy + i, lanes) * r - load(x + i, lanes) * pull, at: i, lanes)
  }
}

/// y = (x − mean) w / sqrt(variance + epsilon) + b for one row; returns the mean and 1 / sqrt(…) for the gradient.
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
/// With r = 1 / sqrt(variance + ε), n = (x − mean) r and g = w dy:  dx = r (g − mean(g) − n mean(g n)),  dw = dy n,
/// db = dy.
public func layerNormBackward(
  _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, mean: Float, inverse r: Float,
  gradient dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>?,
  dw: UnsafeMutablePointer<Float>?, db: UnsafeMutablePointer<Float>?, _ count: Int
) {
  if let dw { for i in 0..<count { dw[i] += dy[i] * ((x[i] - mean) * r) } }
  if let db { add(dy, to: db, count) }
  guard let dx else { return }
  var (pull, turn) = (Vector.zero, Vector.zero)
  forEachVector(count) { i, lanes in
    let g = load(w + i, lanes) * load(dy + i, lanes)
    pull += g
    turn = turn.addingProduct(g, load(x + i, lanes) - mean)
  }
  let share = pull.total / Float(count)
  let slope = turn.total * r / Float(count)
  for i in 0..<count { dx[i] += r * (w[i] * dy[i] - share - (x[i] - mean) * r * slope) }
}
