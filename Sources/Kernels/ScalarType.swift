// The number formats of weights, caches and files, and the conversions between them and float32, in
// which all sums are made.

/// How a number is stored: the dtype of weights, of the KV cache and of files.
public enum ScalarType: String, Sendable, CaseIterable {
  /// IEEE single precision.
  case float32
  /// The upper half of a float32: its range, with 8 bits of precision.
  case bfloat16
  /// IEEE half precision.
  case float16

  /// Bytes of a number.
  public var size: Int { self == .float32 ? 4 : 2 }

  /// The bits of a number rounded to a format of 16 bits: to nearest, ties to even; a NaN stays a
  /// NaN.
  @inlinable @inline(__always)
  public func halfBits(_ value: Float) -> UInt16 {
    self == .float16 ? Float16(value).bitPattern : Kernels.bfloat16(value)
  }

  /// Writes `count` numbers of this format, which need not be aligned, as float32.
  public func decode(
    _ source: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    switch self {
    case .float32:
      UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count * 4)
    case .bfloat16:
      for i in 0..<count {
        target[i] = float(bfloat16: source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))
      }
    case .float16:
      for i in 0..<count {
        let bits = source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)
        target[i] = Float(Float16(bitPattern: bits))
      }
    }
  }
}

/// The bfloat16 nearest to a float32, ties to even; a NaN stays a NaN.
@inlinable @inline(__always)
public func bfloat16(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
  return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}

/// The float32 that a bfloat16 stands for.
@inlinable @inline(__always)
public func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

/// The bits of sixteen floats rounded to bfloat16: the lower half of each is 0.
@inline(__always)
func bfloat16Bits(_ x: Vector) -> SIMD16<UInt32> {
  let bits = unsafeBitCast(x, to: SIMD16<UInt32>.self)
  let rounded = bits &+ 0x7FFF &+ (bits &>> 16 & 1)
  return rounded.replacing(with: bits | 0x0040_0000, where: x .!= x) & 0xFFFF_0000
}

/// Sixteen words of two bfloat16 each as floats: the low halves and the high halves.
@inline(__always)
func floats(bfloat16 pairs: SIMD16<UInt32>) -> (low: Vector, high: Vector) {
  (
    unsafeBitCast(pairs &<< 16, to: Vector.self),
    unsafeBitCast(pairs & 0xFFFF_0000, to: Vector.self)
  )
}

/// y = x rounded to the nearest bfloat16, as floats.
public func roundToBFloat16(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ count: Int
) {
  map(x, into: y, count) { unsafeBitCast(bfloat16Bits($0), to: Vector.self) }
}
