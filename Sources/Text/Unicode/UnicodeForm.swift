// The standard library's own normalization: Foundation's would add 18 ms to every start of the
// program. It has no compatibility forms; those are its canonical forms after the mappings of
// `UnicodeCompatibility`.
import Core

@_spi(_Unicode) import Swift

/// A normalization form of Unicode, in the version that the `tokenizers` library has.
///
/// Characters later than Unicode 9 are unknown there: nothing composes or moves across them.
enum UnicodeForm: String, Sendable {
  case composed = "NFC"
  case decomposed = "NFD"
  case compatibilityComposed = "NFKC"
  case compatibilityDecomposed = "NFKD"

  private var isCompatibility: Bool {
    self == .compatibilityComposed || self == .compatibilityDecomposed
  }

  /// The text in this form.
  func apply(_ text: [UInt8]) throws -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var position = 0
    try text.withUnsafeBufferPointer { text in
      while position < text.count {
        var end = position
        while end < text.count, text[end] < 0x80 { end += 1 }
        // The last ASCII character may compose with what follows.
        let first = end == text.count ? end : max(position, end - 1)
        result += text[position..<first]
        while end < text.count, text[end] >= 0x80 { end += 1 }
        if first < end { try append(UTF8Bytes(rebasing: text[first..<end]), to: &result) }
        position = end
      }
    }
    return result
  }

  /// Appends a text in this form, the parts between unknown characters one by one.
  private func append(_ text: UTF8Bytes, to result: inout [UInt8]) throws {
    // Below U+0300 nothing composes.
    if self == .composed, text.allSatisfy({ $0 < 0xCC }) {
      result += text
      return
    }
    var known: [UInt8] = []
    try text.forEachScalar { range, scalar in
      if scalar.value >= 0x300, !scalar.isIn(unicode: 9) {
        try append(known: known, to: &result)
        known.removeAll(keepingCapacity: true)
        result += text[range]
      } else if isCompatibility, let mapped = UnicodeCompatibility.mappings[scalar] {
        known += String(mapped).utf8
      } else {
        known += text[range]
      }
    }
    try append(known: known, to: &result)
  }

  private func append(known: [UInt8], to result: inout [UInt8]) throws {
    if known.isEmpty { return }
    let text = String(decoding: try CanonicalOrder.apply(known), as: UTF8.self)
    switch self {
    case .composed, .compatibilityComposed: try Self.append(text._nfc, to: &result)
    case .decomposed, .compatibilityDecomposed: try Self.append(text._nfd, to: &result)
    }
  }

  private static func append(_ scalars: some Sequence<Unicode.Scalar>, to result: inout [UInt8])
    throws
  {
    var pause = result.count + Interrupt.interval
    for scalar in scalars {
      if result.count >= pause {
        try Interrupt.check()
        pause = result.count + Interrupt.interval
      }
      if let bytes = UTF8.encode(scalar) { result.append(contentsOf: bytes) }
    }
  }
}
