import Glibc

// Counter-based random numbers: a function of their place, not of the order in which they are
// drawn.
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011): ten rounds turn a 128-bit counter and a 64-bit key into 128 random bits.

/// Ten rounds of Philox4x32 on `counter` under `key`.
public func philox(_ counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
  var c = counter
  var k = key
  for _ in 0..<10 {
    let first = UInt64(0xD251_1F53) * UInt64(c[0])
    let second = UInt64(0xCD9E_8D57) * UInt64(c[2])
    c = [
      UInt32(second >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: second),
      UInt32(first >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: first),
    ]
    k = [k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85]
  }
  return c
}

/// Mixes two numbers into one so that every bit of the result depends on every bit of both
/// (splitmix64's finaliser).
public func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
  var z = a &+ (b &+ 1) &* 0x9E37_79B9_7F4A_7C15
  z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
  return z ^ (z >> 31)
}

/// The uniform number in [0, 1) for one token: a function of (seed, step, row, sample, position)
/// alone.
public func uniform(seed: UInt64, step: UInt64, row: UInt64, sample: Int, position: Int) -> Double {
  let key = mix(seed, step)
  let bits = philox(
    [
      UInt32(truncatingIfNeeded: row), UInt32(truncatingIfNeeded: row >> 32),
      UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: position),
    ],
    key: [UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32)])
  return unitInterval(bits[0], bits[1])
}

/// 53 random bits as a number in [0, 1).
private func unitInterval(_ high: UInt32, _ low: UInt32) -> Double {
  Double((UInt64(high) << 32 | UInt64(low)) >> 11) * 0x1p-53
}

/// A stream of random numbers: draw i of stream (seed, stream) is always the same.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private let key: SIMD2<UInt32>
  /// How many blocks were drawn; the whole state besides the seed.
  public var position: UInt64

  /// The stream numbered `stream` under `seed`.
  public init(seed: UInt64, stream: UInt64 = 0, position: UInt64 = 0) {
    let mixed = mix(seed, stream ^ 0x6A09_E667_F3BC_C908)
    key = [UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32)]
    self.position = position
  }

  private mutating func block() -> SIMD4<UInt32> {
    defer { position &+= 1 }
    return philox(
      [UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32), 0, 1],
      key: key)
  }

  /// 64 random bits.
  public mutating func next() -> UInt64 {
    let bits = block()
    return UInt64(bits[0]) << 32 | UInt64(bits[1])
  }

  /// A number in [0, 1).
  public mutating func uniform() -> Double {
    let bits = block()
    return unitInterval(bits[0], bits[1])
  }

  /// A standard normal number (Box and Muller).
  public mutating func normal() -> Double {
    let bits = block()
    let radius = (-2 * log(1 - unitInterval(bits[0], bits[1]))).squareRoot()
    return radius * cos(2 * .pi * unitInterval(bits[2], bits[3]))
  }
}
