// Iterates over valid UTF-8. Text is handled as bytes because Swift strings compare by canonical
// equivalence, but two tokens of a vocabulary may differ only in how an accent is composed.

import Core

typealias UTF8Bytes = UnsafeBufferPointer<UInt8>

extension UnsafeBufferPointer<UInt8> {
  /// Bytes of the scalar that begins with a byte.
  @inline(__always)
  static func scalarLength(_ lead: UInt8) -> Int {
    lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
  }

  /// The scalar that begins at a position, and its length.
  @inline(__always)
  func scalar(at position: Int) -> (value: Unicode.Scalar, length: Int) {
    let lead = self[position]
    let length = Self.scalarLength(lead)
    if length == 1 { return (Unicode.Scalar(lead), 1) }
    guard position + length <= count else { return ("\u{FFFD}", count - position) }
    var code = UInt32(lead) & (0xFF >> UInt32(length + 1))
    for i in 1..<length { code = code << 6 | UInt32(self[position + i] & 0x3F) }
    return (Unicode.Scalar(code) ?? "\u{FFFD}", length)
  }

  /// The position of the scalar before a position above 0.
  @inline(__always)
  func before(_ position: Int) -> Int {
    var position = position - 1
    while position > 0, self[position] & 0xC0 == 0x80 { position -= 1 }
    return position
  }

  /// Whether these bytes are at a position.
  func has(_ other: [UInt8], at position: Int) -> Bool {
    guard other.count <= count - position else { return false }
    for i in other.indices where other[i] != self[position + i] { return false }
    return true
  }

  /// Calls `body` with the range and value of each scalar; stops when the user asks for it.
  func forEachScalar(_ body: (Range<Int>, Unicode.Scalar) throws -> Void) throws {
    var position = 0
    while position < count {
      if position > 0 { try Interrupt.check() }
      let pause = Swift.min(count, position + Interrupt.interval)
      while position < pause {
        let (value, length) = scalar(at: position)
        try body(position..<position + length, value)
        position += length
      }
    }
  }
}
