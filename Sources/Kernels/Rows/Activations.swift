import Glibc

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

/// The gradient of `swiGLU`: with s = sigmoid(g), d gate = dy up s (1 + g (1 − s)) and d up = dy g
/// s.
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

// The feed-forward activation of GPT-2 (Hendrycks and Gimpel, arXiv 1606.08415): x Φ(x) with the
// normal distribution function Φ, exactly or by an approximation through tanh.

/// x s with s = sigmoid(2u) = (1 + tanh u) / 2 and u = √(2/π) (x + 0.044715 x³): Hugging Face's
/// `gelu_new`.
@inlinable @inline(__always)
public func geluTanh(_ x: Vector) -> Vector { x * sigmoid(twiceArgument(x)) }

/// The derivative of `geluTanh`: s + x s (1 − s) 2u′.
@inlinable @inline(__always)
public func geluTanhDerivative(_ x: Vector) -> Vector {
  let s = sigmoid(twiceArgument(x))
  let flat = s * (1 - s)
  // For large |x| the slope is 0, also where x³ overflows.
  let bend = x * flat * (1.595_769_1 + 0.214_064_48 * x * x)
  return s + bend.replacing(with: 0, where: flat .== 0)
}

/// 2u = x (1.5957691 + 0.071354816 x²).
@inlinable @inline(__always)
func twiceArgument(_ x: Vector) -> Vector { x * (1.595_769_1 + 0.071_354_814 * x * x) }

/// x Φ(x): Hugging Face's `gelu`.
@inlinable
public func gelu(_ x: Vector) -> Vector { x * normalDistribution(x) }

/// The derivative of `gelu`: Φ(x) + x φ(x) with the normal density φ.
@inlinable
public func geluDerivative(_ x: Vector) -> Vector {
  let density = exponential(x * x * -0.5) * 0.398_942_28
  return normalDistribution(x) + (x * density).replacing(with: 0, where: density .== 0)
}

/// Φ(x) = (1 + erf(x / √2)) / 2, by the C library's `erfcf`, which keeps its accuracy for negative
/// x.
@inlinable
func normalDistribution(_ x: Vector) -> Vector {
  var result = Vector.zero
  for lane in 0..<16 { result[lane] = 0.5 * erfcf(x[lane] * -0.707_106_78) }
  return result
}
