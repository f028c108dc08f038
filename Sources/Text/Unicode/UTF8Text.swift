// Walking through UTF-8 that is known to be valid. Text is handled as bytes because Swift's strings
// compare by canonical equivalence: two tokens of a vocabulary may differ only in how an accent is
// composed.

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

  /// Whether these bytes stand at a position.
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

extension Unicode.Scalar {
  /// One bit for the general category, for tests against several categories at once.
  ///
  /// Characters are those of Unicode 16, as in Oniguruma's tables; later ones count as unassigned.
  var categoryBit: UInt32 {
    isIn(unicode: 16) ? Unicode.Scalar.bit(properties.generalCategory) : 1 << 29
  }

  /// Whether a version of Unicode has this character.
  func isIn(unicode version: Int) -> Bool {
    guard value >= 128 else { return true }
    return properties.age.map { $0.major <= version } ?? false
  }

  static func bit(_ category: Unicode.GeneralCategory) -> UInt32 {
    let number: UInt32 =
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
    return 1 << number
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
