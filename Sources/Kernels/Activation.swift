// SwiGLU (Shazeer, arXiv 2002.05202): the gate of the feed-forward layers of Llama and Qwen.

/// y = silu(gate) up with silu(g) = g / (1 + e^-g), over `count` elements.
public func swiGLU(
  _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>,
  into y: UnsafeMutablePointer<Float>, _ count: Int
) {
  forEachVector(count) { i, lanes in
    let g = load(gate + i, lanes)
    store(g / (1 + exponential(0 - g)) * load(up + i, lanes), to: y + i, lanes)
  }
}

/// The gradient of `swiGLU`: with s = sigmoid(g), d gate = dy up s (1 + g (1 − s)) and d up = dy g s.
public func swiGLUBackward(
  _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>,
  dGate: GradientBuffer?, dUp: GradientBuffer?, _ count: Int
) {
  forEachVector(count) { i, lanes in
    let g = load(gate + i, lanes)
    let s = 1 / (1 + exponential(0 - g))
    let d = load(dy + i, lanes)
    dGate?.put(d * load(up + i, lanes) * s * (1 + g * (1 - s)), at: i, lanes)
    dUp?.put(d * g * s, at: i, lanes)
  }
}

/// The first `lanes` (1 to 16) floats at a pointer; the other lanes are 0.
@inline(__always)
func load(_ pointer: UnsafePointer<Float>, _ lanes: Int) -> Vector {
  lanes == 16 ? Vector(at: pointer) : Vector(at: pointer, count: lanes)
}

/// Writes the first `lanes` (1 to 16) floats of a vector.
@inline(__always)
func store(_ value: Vector, to pointer: UnsafeMutablePointer<Float>, _ lanes: Int) {
  if lanes == 16 { value.store(to: pointer) } else { value.store(to: pointer, count: lanes) }
}
