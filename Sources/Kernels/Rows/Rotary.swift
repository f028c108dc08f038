// Rotary position embedding (Su et al., arXiv 2104.09864) in Hugging Face's layout: element i turns
// with i + D/2.

/// Rotates one head of `size` floats by the angles whose cosines and sines are given ([size / 2]
/// each).
///
/// `direction` is 1 forward and −1 for the gradient, which is the transpose: the
/// rotation back. `x` and `y` may be the same; where `adding`, y keeps what it holds.
public func rotate(
  _ x: UnsafePointer<Float>, cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>,
  direction: Float, into y: UnsafeMutablePointer<Float>, _ size: Int, adding: Bool = false
) {
  let half = size / 2
  var i = 0
  while i + 16 <= half {
    let c = Vector(at: cosines + i)
    let s = Vector(at: sines + i) * direction
    let a = Vector(at: x + i)
    let b = Vector(at: x + half + i)
    let (first, second) = (a * c - b * s, b * c + a * s)
    (adding ? Vector(at: y + i) + first : first).store(to: y + i)
    (adding ? Vector(at: y + half + i) + second : second).store(to: y + half + i)
    i += 16
  }
  while i < half {
    let a = x[i]
    let b = x[half + i]
    let s = sines[i] * direction
    let (first, second) = (a * cosines[i] - b * s, b * cosines[i] + a * s)
    y[i] = adding ? y[i] + first : first
    y[half + i] = adding ? y[half + i] + second : second
    i += 1
  }
}
