// Rotary position embedding (Su et al., arXiv 2104.09864) in Hugging Face's layout: element i turns with i + D/2.

/// Rotates one head of `size` floats by the angles whose cosines and sines are given ([size / 2] each).
///
/// `direction` is 1 forward and −1 for the gradient, which is the transpose: the
/// rotation back. `x` and `y` may be the same.
public func rotate(
  _ x: UnsafePointer<Float>, cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>,
  direction: Float, into y: UnsafeMutablePointer<Float>, _ size: Int
) {
  let half = size / 2
  var i = 0
  while i + 16 <= half {
    let c = Vector(at: cosines + i)
    let s = Vector(at: sines + i) * direction
    let a = Vector(at: x + i)
    let b = Vector(at: x + half + i)
    (a * c - b * s).store(to: y + i)
    (b * c + a * s).store(to: y + half + i)
    i += 16
  }
  while i < half {
    let a = x[i]
    let b = x[half + i]
    let s = sines[i] * direction
    y[i] = a * cosines[i] - b * s
    y[half + i] = b * cosines[i] + a * s
    i += 1
  }
}
