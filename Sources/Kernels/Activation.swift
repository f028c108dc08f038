// SwiGLU (Shazeer, arXiv 2002.05202): the gate of the feed-forward layers of Llama and Qwen.

/// y = silu(gate) up with silu(g) = g / (1 + e^-g), over `count` elements.
public func swiGLU(
  _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>,
  into y: UnsafeMutablePointer<Float>, _ count: Int
) {
  var i = 0
  while i + 16 <= count {
    swiGLU(Vector(at: gate + i), Vector(at: up + i)).store(to: y + i)
    i &+= 16
  }
  guard i < count else { return }
  let rest = count - i
  swiGLU(Vector(at: gate + i, count: rest), Vector(at: up + i, count: rest))
    .store(to: y + i, count: rest)
}

@inline(__always)
private func swiGLU(_ g: Vector, _ up: Vector) -> Vector { g / (1 + exponential(0 - g)) * up }

/// The gradient of `swiGLU`: with s = sigmoid(g), d gate = dy up s (1 + g (1 − s)) and d up = dy g s.
public func swiGLUBackward(
  _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>,
  dGate: GradientBuffer?, dUp: GradientBuffer?, _ count: Int
) {
  var i = 0
  while i + 16 <= count {
    let (forGate, forUp) = swiGLUGradient(
      Vector(at: gate + i), Vector(at: up + i), Vector(at: dy + i))
    dGate?.put(forGate, at: i)
    dUp?.put(forUp, at: i)
    i &+= 16
  }
  guard i < count else { return }
  let rest = count - i
  let (forGate, forUp) = swiGLUGradient(
    Vector(at: gate + i, count: rest), Vector(at: up + i, count: rest),
    Vector(at: dy + i, count: rest))
  dGate?.put(forGate, at: i, rest)
  dUp?.put(forUp, at: i, rest)
}

@inline(__always)
private func swiGLUGradient(
  _ g: Vector, _ up: Vector, _ dy: Vector
) -> (gate: Vector, up: Vector) {
  let s = 1 / (1 + exponential(0 - g))
  return (dy * up * s * (1 + g * (1 - s)), dy * g * s)
}

/// The first `lanes` (1 to 16) floats at a pointer; the other lanes are 0.
@inline(__always)
func load(_ pointer: UnsafePointer<Float>, _ lanes: Int) -> Vector {
  lanes == 16 ? Vector(at: pointer) : Vector(at: pointer, count: lanes)
}
