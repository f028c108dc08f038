// SwiGLU (Shazeer, arXiv 2002.05202): the gate of the feed-forward layers of Llama and Qwen.

/// y = silu(gate) up with silu(g) = g / (1 + e^-g), over `count` elements.
public func swiGLU(
  _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>,
  into y: UnsafeMutablePointer<Float>, _ count: Int
) {
  var i = 0
  while i < count {
    let lanes = min(16, count - i)
    let g = load(gate + i, lanes)
    let value = g / (1 + exponential(-g)) * load(up + i, lanes)
    if lanes == 16 { value.store(to: y + i) } else { value.store(to: y + i, count: lanes) }
    i += 16
  }
}

/// The gradient of `swiGLU`: with s = sigmoid(g), d gate = dy up s (1 + g (1 − s)) and d up = dy g s.
public func swiGLUBackward(
  _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>,
  dGate: GradientBuffer?, dUp: GradientBuffer?, _ count: Int
) {
  var i = 0
  while i < count {
    let lanes = min(16, count - i)
    let g = load(gate + i, lanes)
    let s = 1 / (1 + exponential(-g))
    let d = load(dy + i, lanes)
    dGate?.put(d * load(up + i, lanes) * s * (1 + g * (1 - s)), at: i, lanes)
    dUp?.put(d * g * s, at: i, lanes)
    i += 16
  }
}

/// The first `lanes` (1 to 16) floats at a pointer; the other lanes are 0.
@inline(__always)
func load(_ pointer: UnsafePointer<Float>, _ lanes: Int) -> Vector {
  lanes == 16 ? Vector(at: pointer) : Vector(at: pointer, count: lanes)
}
