import Glibc

// The feed-forward activation of GPT-2 (Hendrycks and Gimpel, arXiv 1606.08415): x Φ(x) with the normal distribution
// function Φ, exactly or by an approximation through tanh.

/// x s with s = sigmoid(2u) = (1 + tanh u) / 2 and u = √(2/π) (x + 0.044715 x³): Hugging Face's `gelu_new`.
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

/// Φ(x) = (1 + erf(x / √2)) / 2, by the C library's `erfcf`, which keeps its accuracy for negative x.
@inlinable
func normalDistribution(_ x: Vector) -> Vector {
  var result = Vector.zero
  for lane in 0..<16 { result[lane] = 0.5 * erfcf(x[lane] * -0.707_106_78) }
  return result
}
