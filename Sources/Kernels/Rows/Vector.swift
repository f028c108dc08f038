// Sixteen floats at a time: the unit of every kernel, one AVX-512 register or two AVX2 ones.

/// Sixteen floats, the width at which all kernels work.
public typealias Vector = SIMD16<Float>

extension Vector {
  /// Sixteen consecutive floats at `pointer`, which need not be aligned.
  @inlinable @inline(__always)
  public init(at pointer: UnsafePointer<Float>) {
    self = UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
  }

  /// The first `count` (1 to 15) floats at `pointer`; the other lanes hold `filler`.
  ///
  /// For the end of a row, after the loop over whole vectors: the compiler scalarises a loop whose
  /// last iteration may be shorter.
  @inlinable
  public init(at pointer: UnsafePointer<Float>, count: Int, filler: Float = 0) {
    self.init(repeating: filler)
    for lane in 0..<count { self[lane] = pointer[lane] }
  }

  /// Writes all lanes to `pointer`, which need not be aligned.
  @inlinable @inline(__always)
  public func store(to pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Vector.self)
  }

  /// Writes the first `count` lanes to `pointer`.
  @inlinable
  public func store(to pointer: UnsafeMutablePointer<Float>, count: Int) {
    for lane in 0..<count { pointer[lane] = self[lane] }
  }

  /// The sum of the lanes, always added in the same tree.
  @inlinable @inline(__always)
  public var total: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }

  /// The largest lane; NaN lanes are ignored unless all are NaN.
  @inlinable @inline(__always)
  public var largest: Float {
    let eight = larger(lowHalf, highHalf)
    let four = larger(eight.lowHalf, eight.highHalf)
    let two = larger(four.lowHalf, four.highHalf)
    return two[0] > two[1] ? two[0] : two[1]
  }
}

/// The first `lanes` (1 to 16) floats at a pointer; the other lanes are 0.
@inline(__always)
func load(_ pointer: UnsafePointer<Float>, _ lanes: Int) -> Vector {
  lanes == 16 ? Vector(at: pointer) : Vector(at: pointer, count: lanes)
}

// Lane-wise maxima that compile to one instruction. Each width has its own: in a generic function
// `.>` would be the generic comparison, which is a loop over lanes.

@inlinable @inline(__always)
func larger(_ a: SIMD8<Float>, _ b: SIMD8<Float>) -> SIMD8<Float> {
  a.replacing(with: b, where: b .> a)
}

@inlinable @inline(__always)
func larger(_ a: SIMD4<Float>, _ b: SIMD4<Float>) -> SIMD4<Float> {
  a.replacing(with: b, where: b .> a)
}

@inlinable @inline(__always)
func larger(_ a: SIMD2<Float>, _ b: SIMD2<Float>) -> SIMD2<Float> {
  a.replacing(with: b, where: b .> a)
}

/// Lane-wise maximum of two vectors; where `a` is NaN the result is `a`.
@inlinable @inline(__always)
public func maximum(_ a: Vector, _ b: Vector) -> Vector {
  a.replacing(with: b, where: b .> a)
}

/// e to the power of each lane, within 1 ulp for results that are normal floats.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by its Taylor polynomial of degree 7 and 2^n by the
/// exponent bits. Below -87.3 the result is 0, above 88.7 it is infinity; NaN stays NaN.
@inlinable @inline(__always)
public func exponential(_ x: Vector) -> Vector {
  // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits of the float.
  let magic: Float = 12_582_912
  let shifted = Vector(repeating: magic).addingProduct(x, Vector(repeating: 1.442_695_04))
  let n = shifted - magic
  var r = x.addingProduct(n, Vector(repeating: -0.693_145_751_953_125))
  r = r.addingProduct(n, Vector(repeating: -1.428_606_765_330_187e-6))
  var p = Vector(repeating: 1 / 5040)
  p = Vector(repeating: 1 / 720).addingProduct(p, r)
  p = Vector(repeating: 1 / 120).addingProduct(p, r)
  p = Vector(repeating: 1 / 24).addingProduct(p, r)
  p = Vector(repeating: 1 / 6).addingProduct(p, r)
  p = Vector(repeating: 0.5).addingProduct(p, r)
  p = Vector(repeating: 1).addingProduct(p, r)
  p = Vector(repeating: 1).addingProduct(p, r)
  let exponent = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &<< 23
  var result = unsafeBitCast(
    unsafeBitCast(p, to: SIMD16<Int32>.self) &+ exponent, to: Vector.self)
  result.replace(with: 0, where: x .< -87.3)
  result.replace(with: .infinity, where: x .> 88.7)
  result.replace(with: x, where: x .!= x)
  return result
}
