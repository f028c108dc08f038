// A character class of a pattern. Membership of the 128 ASCII characters is tabulated.

struct ScalarSet: Sendable {
  enum Kind: Sendable {
    case range(ClosedRange<UInt32>)
    case categories(UInt32)
    case whitespace
    case word
    /// The sets that the `tokenizers` library takes from Rust instead of Oniguruma.
    case rustWord
    case rustPunctuation
  }

  private var items: [(kind: Kind, isNegated: Bool)] = []
  private var isNegated = false
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  /// The union of `items`, or its complement.
  init(
    _ items: [(kind: Kind, isNegated: Bool)], isNegated: Bool = false, ignoringCase: Bool = false
  ) {
    self.items = items
    if ignoringCase { addOtherCases() }
    self.isNegated = isNegated
    for code in UInt32(0)..<128 where slowContains(Unicode.Scalar(UInt8(code))) {
      if code < 64 { low |= 1 << UInt64(code) } else { high |= 1 << UInt64(code - 64) }
    }
  }

  @inline(__always)
  func containsASCII(_ byte: UInt8) -> Bool {
    (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte & 63)) & 1 != 0
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 128 ? containsASCII(UInt8(scalar.value)) : slowContains(scalar)
  }

  private func slowContains(_ scalar: Unicode.Scalar) -> Bool {
    for item in items {
      let isIn =
        switch item.kind {
        case .range(let range): range.contains(scalar.value)
        case .categories(let bits): scalar.categoryBit & bits != 0
        case .whitespace: scalar.properties.isWhitespace
        case .word: scalar.isWord
        case .rustWord: scalar.isWordInRust
        case .rustPunctuation: scalar.isPunctuation
        }
      if isIn != item.isNegated { return !isNegated }
    }
    return isNegated
  }

  /// The other cases of letters listed one by one or in ASCII ranges; ſ and the Kelvin sign fold to
  /// s and k.
  private mutating func addOtherCases() {
    for item in items {
      guard case .range(let range) = item.kind, range.count == 1 || range.upperBound < 128 else {
        continue
      }
      for code in range {
        guard let scalar = Unicode.Scalar(code) else { continue }
        var others = [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping]
        if scalar == "s" || scalar == "S" { others.append("\u{17F}") }
        if scalar == "k" || scalar == "K" { others.append("\u{212A}") }
        for other in others.map(\.unicodeScalars) where other.count == 1 {
          let value = other[other.startIndex].value
          items.append((.range(value...value), false))
        }
      }
    }
  }
}
