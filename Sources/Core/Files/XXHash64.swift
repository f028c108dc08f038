import Glibc

/// XXH64 (xxhash.com, seed 0): a fast 64-bit hash against damage, not forgery; the same as
/// `xxh64sum`.
public struct XXHash64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  private var lanes = SIMD4<UInt64>(prime1 &+ prime2, prime2, 0, 0 &- prime1)
  private var count: UInt64 = 0
  /// Input after the last complete stripe of 32 bytes.
  private var rest: [UInt8] = []

  /// An empty hash.
  public init() { rest.reserveCapacity(32) }

  /// Adds bytes to the hash.
  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    count &+= UInt64(bytes.count)
    var start = 0
    if !rest.isEmpty {
      start = min(32 - rest.count, bytes.count)
      rest += bytes[..<start]
      guard rest.count == 32 else { return }
      let full = rest
      full.withUnsafeBytes { addStripes($0) }
      rest.removeAll(keepingCapacity: true)
    }
    let end = start + (bytes.count - start) / 32 * 32
    addStripes(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
    rest += bytes[end...]
  }

  /// The hash of all bytes so far.
  public var value: UInt64 {
    var hash = count < 32 ? Self.prime5 : merged
    hash &+= count
    var bytes = rest[...]
    while bytes.count >= 8 {
      hash ^= Self.round(0, Self.word(bytes.prefix(8)))
      hash = Self.rotate(hash, 27) &* Self.prime1 &+ Self.prime4
      bytes = bytes.dropFirst(8)
    }
    if bytes.count >= 4 {
      hash ^= Self.word(bytes.prefix(4)) &* Self.prime1
      hash = Self.rotate(hash, 23) &* Self.prime2 &+ Self.prime3
      bytes = bytes.dropFirst(4)
    }
    for byte in bytes {
      hash ^= UInt64(byte) &* Self.prime5
      hash = Self.rotate(hash, 11) &* Self.prime1
    }
    hash = (hash ^ (hash >> 33)) &* Self.prime2
    hash = (hash ^ (hash >> 29)) &* Self.prime3
    return hash ^ (hash >> 32)
  }

  private var merged: UInt64 {
    var hash =
      Self.rotate(lanes[0], 1) &+ Self.rotate(lanes[1], 7) &+ Self.rotate(lanes[2], 12)
      &+ Self.rotate(lanes[3], 18)
    for lane in 0..<4 {
      hash = (hash ^ Self.round(0, lanes[lane])) &* Self.prime1 &+ Self.prime4
    }
    return hash
  }

  private mutating func addStripes(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    var (a, b, c, d) = (lanes[0], lanes[1], lanes[2], lanes[3])
    var offset = 0
    while offset < bytes.count {
      let place = start + offset
      a = Self.round(a, place.loadUnaligned(as: UInt64.self))
      b = Self.round(b, (place + 8).loadUnaligned(as: UInt64.self))
      c = Self.round(c, (place + 16).loadUnaligned(as: UInt64.self))
      d = Self.round(d, (place + 24).loadUnaligned(as: UInt64.self))
      offset += 32
    }
    lanes = SIMD4(a, b, c, d)
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ UInt64(littleEndian: word) &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value &<< bits | value &>> (64 - bits)
  }

  /// Up to 8 bytes as a number, the first one lowest.
  private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension XXHash64 {
  /// The hash of a regular file's bytes.
  public static func ofFile(_ path: String) throws -> UInt64 {
    let descriptor = try openForReading(path)
    defer { close(descriptor) }
    var hash = XXHash64()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      try Interrupt.check()
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError(path, "cannot be read: \(lastSystemError())") }
      if count == 0 { return hash.value }
      hash.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}
