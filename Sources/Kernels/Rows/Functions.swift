import Glibc

// Elementary functions of sixteen floats; `exponential` is in Vector.swift.

/// The natural logarithm of each lane, within 2 ulp; -infinity at 0, NaN below.
///
/// x = 2^e m with m in [√½, √2) and ln m = 2 artanh s, s = (m - 1) / (m + 1), by the series s +
/// s³/3 + s⁵/5 + …
@inlinable @inline(__always)
public func logarithm(_ x: Vector) -> Vector {
  let subnormal = x .< Float.leastNormalMagnitude
  let scaled = x.replacing(with: x * 0x1p23, where: subnormal)
  let bits = unsafeBitCast(scaled, to: SIMD16<Int32>.self)
  // The bits of √½ as the origin: the exponent field then counts from m = √½.
  let shifted = bits &- 0x3F35_04F3
  let exponent = shifted &>> 23
  let m = unsafeBitCast((shifted & 0x007F_FFFF) &+ 0x3F35_04F3, to: Vector.self)
  let e = Vector(exponent).replacing(with: Vector(exponent) - 23, where: subnormal)
  let f = m - 1
  let s = f / (m + 1)
  let z = s * s
  var p = Vector(repeating: 2 / 9)
  p = Vector(repeating: 2 / 7).addingProduct(p, z)
  p = Vector(repeating: 2 / 5).addingProduct(p, z)
  p = Vector(repeating: 2 / 3).addingProduct(p, z)
  // 2 s = f - s f exactly, so that the leading term f carries no rounding error.
  let tail = s * (p * z - f)
  var result = (f + tail.addingProduct(e, Vector(repeating: 1.428_606_765_330_187e-6)))
    .addingProduct(e, Vector(repeating: 0.693_145_751_953_125))
  result.replace(with: x, where: x .== .infinity)
  result.replace(with: -.infinity, where: x .== 0)
  result.replace(with: .nan, where: x .< 0)
  result.replace(with: x, where: x .!= x)
  return result
}

/// The hyperbolic tangent of each lane.
///
/// Near 0 by Lambert's continued fraction x / (1 + x² / (3 + x² / (5 + …))), elsewhere by 1 - 2 /
/// (e^(2|x|) + 1).
@inlinable @inline(__always)
public func hyperbolicTangent(_ x: Vector) -> Vector {
  let square = x * x
  let upper = (square + 105) * square + 945
  let lower = (square * 15 + 420) * square + 945
  let small = x * upper / lower
  let size = x.replacing(with: -x, where: x .< 0)
  let far = 1 - 2 / (exponential(size + size) + 1)
  let signed = far.replacing(with: -far, where: x .< 0)
  return signed.replacing(with: small, where: size .< 0.55)
}

/// 1 / (1 + e^-x) of each lane.
@inlinable @inline(__always)
public func sigmoid(_ x: Vector) -> Vector { 1 / (1 + exponential(-x)) }

/// a to the power of b, lane by lane, as the C library's `powf`.
@inlinable
public func power(_ a: Vector, _ b: Vector) -> Vector {
  var result = Vector.zero
  for lane in 0..<16 { result[lane] = powf(a[lane], b[lane]) }
  return result
}
