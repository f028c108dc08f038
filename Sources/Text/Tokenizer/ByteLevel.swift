// The byte-level alphabet of GPT-2 (Radford et al. 2019, encoder.py): each byte has a printable
// character, so that a vocabulary of text can hold any bytes. Printable Latin-1 characters stand
// for themselves, the other bytes, in order, for U+0100, U+0101 and so on.

import Core

enum ByteLevel {
  /// The character of each byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (UInt8.min...UInt8.max).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
      default:
        defer { next += 1 }
        return Unicode.Scalar(next) ?? " "
      }
    }
  }()

  /// The character of each byte in UTF-8, one or two bytes.
  private static let encoded: [[UInt8]] = scalars.map { Array(Character($0).utf8) }

  private static let bytes = Dictionary(
    uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })

  /// The pattern that GPT-2 splits text with before mapping it.
  static let pattern =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// Appends the characters of some bytes.
  static func append(_ source: UTF8Bytes, to result: inout [UInt8]) throws {
    try encoded.withUnsafeBufferPointer { encoded in
      for start in stride(from: 0, to: source.count, by: Interrupt.interval) {
        if start > 0 { try Interrupt.check() }
        for byte in source[start..<min(source.count, start + Interrupt.interval)] {
          if byte > 0x20, byte < 0x7F { result.append(byte) } else { result += encoded[Int(byte)] }
        }
      }
    }
  }

  /// The bytes that a token's characters stand for; its own bytes when one of them stands for none.
  static func decode(_ token: [UInt8]) throws -> [UInt8] {
    var result: [UInt8] = []
    var isMapped = true
    try token.withUnsafeBufferPointer { token in
      try token.forEachScalar { _, scalar in
        if let byte = bytes[scalar] { result.append(byte) } else { isMapped = false }
      }
    }
    return isMapped ? result : token
  }
}
