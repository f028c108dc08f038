// The standard library's own normalization: Foundation's would add 18 ms to every start of the
// program. It has no compatibility forms; those are its canonical forms after the mappings of
// `UnicodeCompatibility`.
@_spi(_Unicode) import Swift

/// A normalization form of Unicode, in the version that the `tokenizers` library has.
///
/// Characters later than Unicode 9 are unknown there: nothing composes or moves across them.
enum UnicodeForm: String, Sendable {
  case composed = "NFC"
  case decomposed = "NFD"
  case compatibilityComposed = "NFKC"
  case compatibilityDecomposed = "NFKD"

  /// Below this first byte no character changes: U+0300 for NFC, U+0080 for the others.
  private var firstChanged: UInt8 { self == .composed ? 0xCC : 0x80 }

  private var isCompatibility: Bool {
    self == .compatibilityComposed || self == .compatibilityDecomposed
  }

  /// The text in this form.
  func apply(_ text: [UInt8]) -> [UInt8] {
    if text.allSatisfy({ $0 < firstChanged }) { return text }
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var known = String.UnicodeScalarView()
    text.withUnsafeBufferPointer { text in
      text.forEachScalar { range, scalar in
        if scalar.value >= 0x300, !scalar.isIn(unicode: 9) {
          append(known, to: &result)
          known = String.UnicodeScalarView()
          result += text[range]
        } else if isCompatibility, let mapped = UnicodeCompatibility.mappings[scalar] {
          known.append(contentsOf: mapped)
        } else {
          known.append(scalar)
        }
      }
    }
    append(known, to: &result)
    return result
  }

  private func append(_ scalars: String.UnicodeScalarView, to result: inout [UInt8]) {
    if scalars.isEmpty { return }
    var changed = String.UnicodeScalarView()
    switch self {
    case .composed, .compatibilityComposed: changed.append(contentsOf: String(scalars)._nfc)
    case .decomposed, .compatibilityDecomposed: changed.append(contentsOf: String(scalars)._nfd)
    }
    result += String(changed).utf8
  }
}
