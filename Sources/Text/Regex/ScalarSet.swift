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
    /// Sorted ranges: a script.
    case ranges([ClosedRange<UInt32>])
    case property(@Sendable (Unicode.Scalar) -> Bool)
    case set(ScalarSet)
  }

  private var items: [(kind: Kind, isNegated: Bool)] = []
  private var others: [ScalarSet] = []
  private var isNegated = false
  private var ignoresCase = false
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  /// What decides for most other characters: their categories, whether they are spaces.
  private var categories: UInt32 = 0
  private var hasSpaces = false
  private var hasOthersThanSpaces = false
  /// The items that are left.
  private var rest: [(kind: Kind, isNegated: Bool)] = []

  /// The union of `items`, without what is not in the `others`, or the complement of that.
  init(
    _ items: [(kind: Kind, isNegated: Bool)], and others: [ScalarSet] = [],
    isNegated: Bool = false, ignoringCase: Bool = false
  ) {
    self.items = items
    self.others = others
    ignoresCase = ignoringCase
    if ignoringCase { addOtherCases() }
    self.isNegated = isNegated
    for item in self.items { addBeyondASCII(item) }
    for code in UInt32(0)..<128 where slowContains(Unicode.Scalar(UInt8(code))) {
      if code < 64 { low |= 1 << UInt64(code) } else { high |= 1 << UInt64(code - 64) }
    }
  }

  @inline(__always)
  func containsASCII(_ byte: UInt8) -> Bool {
    (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte & 63)) & 1 != 0
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 128 ? containsASCII(UInt8(scalar.value)) : containsBeyondASCII(scalar)
  }

  private mutating func addBeyondASCII(_ item: (kind: Kind, isNegated: Bool)) {
    switch (item.kind, item.isNegated) {
    case (.categories(let bits), let isNegated) where !ignoresCase:
      categories |= isNegated ? ~bits : bits
    case (.whitespace, false): hasSpaces = true
    case (.whitespace, true): hasOthersThanSpaces = true
    case (.range(let range), false) where range.upperBound < 128: break
    default: rest.append(item)
    }
  }

  private func containsBeyondASCII(_ scalar: Unicode.Scalar) -> Bool {
    let isIn =
      categories != 0 && categories & scalar.categoryBit != 0
      || hasSpaces && scalar.isSpace || hasOthersThanSpaces && !scalar.isSpace
      || !rest.isEmpty && rest.contains { contains(scalar, $0.kind) != $0.isNegated }
    return (isIn && (others.isEmpty || others.allSatisfy { $0.contains(scalar) })) != isNegated
  }

  private func slowContains(_ scalar: Unicode.Scalar) -> Bool {
    let isIn = items.contains { contains(scalar, $0.kind) != $0.isNegated }
    return (isIn && others.allSatisfy { $0.contains(scalar) }) != isNegated
  }

  private func contains(_ scalar: Unicode.Scalar, _ kind: Kind) -> Bool {
    switch kind {
    case .range(let range): range.contains(scalar.value)
    case .categories(let bits):
      scalar.categoryBit & bits != 0
        || ignoresCase && scalar.otherCases.contains { $0.categoryBit & bits != 0 }
    case .whitespace: scalar.isSpace
    case .word: scalar.isWord
    case .rustWord: scalar.isWordInRust
    case .rustPunctuation: scalar.isPunctuation
    case .ranges(let ranges): Self.contains(scalar.value, ranges)
    case .property(let holds): holds(scalar)
    case .set(let set): set.contains(scalar)
    }
  }

  private static func contains(_ code: UInt32, _ ranges: [ClosedRange<UInt32>]) -> Bool {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < code { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].lowerBound <= code
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
        var others = scalar.otherCases
        if scalar == "s" || scalar == "S" { others.append("\u{17F}") }
        if scalar == "k" || scalar == "K" { others.append("\u{212A}") }
        items += others.map { (.range($0.value...$0.value), false) }
      }
    }
  }
}

extension Unicode.Scalar {
  /// The character in lower and in upper case, where that is one character.
  fileprivate var otherCases: [Unicode.Scalar] {
    [properties.lowercaseMapping, properties.uppercaseMapping].map(\.unicodeScalars)
      .filter { $0.count == 1 }.map { $0[$0.startIndex] }
  }
}
