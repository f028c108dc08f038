// Root-mean-square normalisation of rows (Zhang and Sennrich, arXiv 1910.07467).

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

/// Adds the gradient of `rmsNorm` to `dx` and, where given, to `dw`.
///
/// With r = 1 / sqrt(mean(x²) + ε):  dx = r w dy − x r³ / C · Σ(w dy x),  dw = dy x r.
public func rmsNormBackward(
  _ x: UnsafePointer<Float>, weight w: UnsafePointer<Float>, inverse r: Float,
  gradient dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>?,
  dw: UnsafeMutablePointer<Float>?, _ count: Int
) {
  if let dw {
    for i in 0..<count { dw[i] += dy[i] * x[i] * r }
  }
  guard let dx else { return }
  var total: Float = 0
  var lanes = Vector.zero
  var i = 0
  while i + 16 <= count {
    lanes = lanes.addingProduct(Vector(at: w + i) * Vector(at: dy + i), Vector(at: x + i))
    i += 16
  }
  while i < count {
    total += w[i] * dy[i] * x[i]
    i += 1
  }
  let pull = r * r * r / Float(count) * (total + lanes.total)
  for i in 0..<count { dx[i] += r * w[i] * dy[i] - x[i] * pull }
}
