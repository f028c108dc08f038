// Character properties as in the `tokenizers` library, which uses the tables of Oniguruma and Rust.

import Glibc
import Synchronization

/// Cached general categories: Swift's lookup, with the age, takes some 100 ns, most of a pattern's
/// time on non-ASCII text.
///
/// One byte per character, 0 if not cached; untouched pages take no memory. Without memory for the
/// cache every query is a lookup.
private struct KnownCategories: @unchecked Sendable {
  private let bytes: UnsafeMutablePointer<Atomic<UInt8>>?

  static let shared = KnownCategories()

  private init() {
    let count = 0x110000
    bytes = calloc(count, 1)?.bindMemory(to: Atomic<UInt8>.self, capacity: count)
  }

  /// The number of a category in the order of `Unicode.Scalar.bit`.
  func number(_ scalar: Unicode.Scalar) -> UInt32 {
    let place = Int(scalar.value)
    if let known = bytes?[place].load(ordering: .relaxed), known > 0 { return UInt32(known) - 1 }
    let category = scalar.isIn(unicode: 16) ? scalar.properties.generalCategory : .unassigned
    let number = Unicode.Scalar.number(category)
    bytes?[place].store(UInt8(number + 1), ordering: .relaxed)
    return number
  }
}

extension Unicode.Scalar {
  /// One bit for the general category, for tests against several categories at once.
  ///
  /// Characters are those of Unicode 16, as in Oniguruma's tables; later ones count as unassigned.
  var categoryBit: UInt32 { 1 << KnownCategories.shared.number(self) }

  /// Whether a version of Unicode has this character.
  func isIn(unicode version: Int) -> Bool {
    guard value >= 128 else { return true }
    return properties.age.map { $0.major <= version } ?? false
  }

  static func bit(_ category: Unicode.GeneralCategory) -> UInt32 { 1 << number(category) }

  /// The place of a category in `categoryBits`' names.
  fileprivate static func number(_ category: Unicode.GeneralCategory) -> UInt32 {
    switch category {
    case .uppercaseLetter: 0
    case .lowercaseLetter: 1
    case .titlecaseLetter: 2
    case .modifierLetter: 3
    case .otherLetter: 4
    case .nonspacingMark: 5
    case .spacingMark: 6
    case .enclosingMark: 7
    case .decimalNumber: 8
    case .letterNumber: 9
    case .otherNumber: 10
    case .connectorPunctuation: 11
    case .dashPunctuation: 12
    case .openPunctuation: 13
    case .closePunctuation: 14
    case .initialPunctuation: 15
    case .finalPunctuation: 16
    case .otherPunctuation: 17
    case .mathSymbol: 18
    case .currencySymbol: 19
    case .modifierSymbol: 20
    case .otherSymbol: 21
    case .spaceSeparator: 22
    case .lineSeparator: 23
    case .paragraphSeparator: 24
    case .control: 25
    case .format: 26
    case .surrogate: 27
    case .privateUse: 28
    case .unassigned: 29
    @unknown default: 29
    }
  }

  /// Bits of the categories with a Unicode short name, such as `L` or `Lu`; nil when there is none.
  static func categoryBits(_ name: String) -> UInt32? {
    let names = [
      "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
      "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    ]
    guard name.count == 1 || name.count == 2 else { return nil }
    var bits: UInt32 = 0
    for (number, other) in names.enumerated() where other.hasPrefix(name) {
      bits |= 1 << UInt32(number)
    }
    return bits == 0 ? nil : bits
  }

  /// The property White_Space, which has been the same since Unicode 6.3.
  var isSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F,
      0x3000:
      true
    default: false
    }
  }

  /// Oniguruma's `\w`: alphabetic, marks, decimal digits, connectors, the numbers of Latin-1.
  var isWord: Bool {
    switch value {
    case 0xB2, 0xB3, 0xB9, 0xBC...0xBE: return true
    default:
      let mask: UInt32 = 0b111 << 5 | 1 << 8 | 1 << 11
      return isIn(unicode: 16) && (properties.isAlphabetic || categoryBit & mask != 0)
    }
  }

  /// The `\w` of Rust's regular expressions: without Latin-1's numbers, with both joiners.
  var isWordInRust: Bool {
    switch value {
    case 0x200C, 0x200D: true
    case 0xB2, 0xB3, 0xB9, 0xBC...0xBE: false
    default: isWord
    }
  }

  /// Unicode punctuation, and every ASCII character that looks like it.
  ///
  /// The `tokenizers` library takes it from Unicode 8, where U+166D and U+111C9 were punctuation.
  var isPunctuation: Bool {
    if isASCII { return value > 32 && value < 127 && !isWordASCII }
    if value == 0x166D || value == 0x111C9 { return true }
    return isIn(unicode: 8) && categoryBit & (0b111_1111 << 11) != 0
  }

  private var isWordASCII: Bool {
    switch self {
    case "0"..."9", "A"..."Z", "a"..."z": true
    default: false
    }
  }
}
