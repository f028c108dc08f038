// Character classes and escapes of patterns.

import Core

extension PatternParser {
  typealias Item = (kind: ScalarSet.Kind, isNegated: Bool)

  /// What follows `[`, up to and with the closing `]`: unions of items, cut with `&&`.
  mutating func characterClass() throws -> ScalarSet {
    classDepth += 1
    defer { classDepth -= 1 }
    if classDepth > 50 { throw PatternError("character classes are nested too deep") }
    let isNegated = take("^")
    var operands: [[Item]] = [[]]
    var isFirst = true
    while isFirst || !take("]") {
      isFirst = false
      if take("&&") {
        operands.append([])
      } else if next == "[" {
        position += 1
        operands[operands.count - 1].append(try namedClass() ?? (.set(characterClass()), false))
      } else {
        operands[operands.count - 1].append(try classItem())
      }
    }
    let ignoresCase = options.ignoresCase
    return ScalarSet(
      operands[0], and: operands.dropFirst().map { ScalarSet($0, ignoringCase: ignoresCase) },
      isNegated: isNegated, ignoringCase: ignoresCase)
  }

  /// `[:alpha:]` and the like, behind the bracket; nil when it is something else.
  private mutating func namedClass() throws -> Item? {
    guard next == ":", let end = text[position...].firstIndex(of: "]"), end > position + 1,
      text[end - 1] == ":"
    else { return nil }
    let isNegated = position + 1 < end && text[position + 1] == "^"
    let name = text[(position + (isNegated ? 2 : 1))..<max(position + 2, end - 1)]
    guard let item = CharacterProperty.inBrackets(String(String.UnicodeScalarView(name))) else {
      return nil
    }
    position = end + 1
    return (item, isNegated)
  }

  /// A character, a range or an escape.
  private mutating func classItem() throws -> Item {
    let first = try classAtom()
    guard case .range(let low) = first.kind, low.count == 1, !first.isNegated,
      next == "-", position + 1 < text.count, text[position + 1] != "]",
      text[position + 1] != "["
    else { return first }
    position += 1
    guard case .range(let high) = try classAtom().kind, high.count == 1,
      low.lowerBound <= high.lowerBound
    else { throw PatternError("a range in a character class is not one") }
    return (.range(low.lowerBound...high.lowerBound), false)
  }

  private mutating func classAtom() throws -> Item {
    guard let scalar = next else { throw PatternError("a character class is not closed") }
    position += 1
    if scalar == "\\" { return take("b") ? single(8) : try escapedItem() }
    return single(scalar.value)
  }

  /// What follows a backslash, where it stands for a set of characters.
  mutating func escapedItem() throws -> Item {
    guard let scalar = next else { throw PatternError("the pattern ends after a backslash") }
    position += 1
    switch scalar {
    case "s": return (.whitespace, false)
    case "S": return (.whitespace, true)
    case "w": return (.word, false)
    case "W": return (.word, true)
    case "d": return (.categories(Unicode.Scalar.bit(.decimalNumber)), false)
    case "D": return (.categories(Unicode.Scalar.bit(.decimalNumber)), true)
    case "p": return try property(isNegated: false)
    case "P": return try property(isNegated: true)
    case "h": return (CharacterProperty.hexDigit, false)
    case "H": return (CharacterProperty.hexDigit, true)
    case "n": return single(10)
    case "r": return single(13)
    case "t": return single(9)
    case "f": return single(12)
    case "v": return single(11)
    case "a": return single(7)
    case "e": return single(27)
    case "x", "u": return single(try code(scalar))
    case "0"..."9", "A"..."Z", "a"..."z":
      throw PatternError("the escape \\\(scalar) is not supported")
    default: return single(scalar.value)
    }
  }

  private func single(_ code: UInt32) -> Item { (.range(code...code), false) }

  private mutating func property(isNegated: Bool) throws -> Item {
    guard take("{"), let end = text[position...].firstIndex(of: "}") else {
      throw PatternError("a property is written \\p{NAME}")
    }
    let inverted = take("^")
    let name = String(String.UnicodeScalarView(text[position..<max(position, end)]))
    position = end + 1
    guard let kind = CharacterProperty.named(name) else {
      throw PatternError("the property '\(name)' is not supported")
    }
    return (kind, isNegated != inverted)
  }

  /// `\xHH`, `\x{H…}` or `\uHHHH`.
  private mutating func code(_ kind: Unicode.Scalar) throws -> UInt32 {
    let start = position
    let braces = kind == "x" && take("{")
    let limit = braces ? 6 : kind == "u" ? 4 : 2
    var digits = ""
    while let scalar = next, digits.count < limit, scalar.properties.isASCIIHexDigit {
      digits.unicodeScalars.append(scalar)
      position += 1
    }
    guard let code = UInt32(digits, radix: 16), !braces || take("}"), Unicode.Scalar(code) != nil
    else { throw PatternError("the escape at character \(start) is not a character") }
    return code
  }
}

// The names that Oniguruma knows for sets of characters: `\p{NAME}` and `[:NAME:]`. Case, spaces,
// hyphens and underscores in a name do not matter. Left out: blocks (`\p{InBasicLatin}`), ages.

enum CharacterProperty {
  static let hexDigit = ScalarSet.Kind.property { isASCIIHexDigit($0) }

  /// The set that `\p{NAME}` stands for; nil when there is none.
  static func named(_ name: String) -> ScalarSet.Kind? {
    let name = simplified(name.asName)
    return category(name) ?? common[name] ?? binary(name)
      ?? UnicodeScripts.ranges(name).map { .ranges($0) }
  }

  /// The set that `[:NAME:]` stands for; nil when there is none.
  static func inBrackets(_ name: String) -> ScalarSet.Kind? {
    switch name.asName {
    // Here symbols are punctuation too, and the numbers of Latin-1 are not in words.
    case "punct": .categories(bits("P") | bits("S"))
    case "word": .property { $0.isWord && !$0.isLatinNumber }
    case "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "space",
      "upper", "xdigit":
      common[name]
    default: nil
    }
  }

  private static func simplified(_ name: String) -> String {
    name.lowercased().filter { $0 != " " && $0 != "-" && $0 != "_" }
  }

  private static func bits(_ name: String) -> UInt32 { Unicode.Scalar.categoryBits(name) ?? 0 }

  private static func category(_ name: String) -> ScalarSet.Kind? {
    let short = categories[name] ?? (name.prefix(1).uppercased() + name.dropFirst())
    return Unicode.Scalar.categoryBits(short).map { .categories($0) }
  }

  private static let categories = [
    "letter": "L", "lowercaseletter": "Ll", "uppercaseletter": "Lu", "titlecaseletter": "Lt",
    "modifierletter": "Lm", "otherletter": "Lo", "mark": "M", "combiningmark": "M",
    "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me", "number": "N",
    "decimalnumber": "Nd", "letternumber": "Nl", "othernumber": "No", "punctuation": "P",
    "connectorpunctuation": "Pc", "dashpunctuation": "Pd", "openpunctuation": "Ps",
    "closepunctuation": "Pe", "initialpunctuation": "Pi", "finalpunctuation": "Pf",
    "otherpunctuation": "Po", "symbol": "S", "mathsymbol": "Sm", "currencysymbol": "Sc",
    "modifiersymbol": "Sk", "othersymbol": "So", "separator": "Z", "spaceseparator": "Zs",
    "lineseparator": "Zl", "paragraphseparator": "Zp", "other": "C", "control": "Cc",
    "format": "Cf", "surrogate": "Cs", "privateuse": "Co", "unassigned": "Cn", "punct": "P",
  ]

  private static let common: [String: ScalarSet.Kind] = [
    "lc": .categories(bits("Lu") | bits("Ll") | bits("Lt")),
    "casedletter": .categories(bits("Lu") | bits("Ll") | bits("Lt")),
    "alnum": .property { $0.isAlphabetic || $0.categoryBit & bits("Nd") != 0 },
    "alpha": .property { $0.isAlphabetic },
    "any": .range(0...0x10FFFF),
    "ascii": .range(0...0x7F),
    "assigned": .categories(~bits("Cn")),
    "blank": .property { $0 == "\t" || $0.categoryBit & bits("Zs") != 0 },
    "cntrl": .categories(bits("Cc")),
    "digit": .categories(bits("Nd")),
    "graph": .property { isGraphic($0) },
    "print": .property { isGraphic($0) || $0.categoryBit & bits("Zs") != 0 },
    "space": .whitespace,
    "whitespace": .whitespace,
    "word": .word,
    "xdigit": hexDigit,
    "asciihexdigit": hexDigit,
    "lower": .property { $0.isIn(unicode: 16) && $0.properties.isLowercase },
    "upper": .property { $0.isIn(unicode: 16) && $0.properties.isUppercase },
  ]

  private static func isASCIIHexDigit(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isASCIIHexDigit
  }

  private static func isGraphic(_ scalar: Unicode.Scalar) -> Bool {
    !scalar.isSpace
      && scalar.categoryBit & (bits("Cc") | bits("Cn") | bits("Cs")) == 0
  }

  private static func binary(_ name: String) -> ScalarSet.Kind? {
    guard let holds = properties[name] else { return nil }
    return .property { $0.isIn(unicode: 16) && holds($0.properties) }
  }

  private static let properties: [String: @Sendable (Unicode.Scalar.Properties) -> Bool] = [
    "alphabetic": { $0.isAlphabetic }, "lowercase": { $0.isLowercase },
    "uppercase": { $0.isUppercase }, "cased": { $0.isCased },
    "caseignorable": { $0.isCaseIgnorable }, "ideographic": { $0.isIdeographic },
    "unifiedideograph": { $0.isUnifiedIdeograph }, "radical": { $0.isRadical },
    "emoji": { $0.isEmoji }, "emojipresentation": { $0.isEmojiPresentation },
    "emojimodifier": { $0.isEmojiModifier }, "emojimodifierbase": { $0.isEmojiModifierBase },
    "dash": { $0.isDash }, "diacritic": { $0.isDiacritic }, "extender": { $0.isExtender },
    "hexdigit": { $0.isHexDigit }, "math": { $0.isMath },
    "quotationmark": { $0.isQuotationMark }, "joincontrol": { $0.isJoinControl },
    "idstart": { $0.isIDStart }, "idcontinue": { $0.isIDContinue },
    "xidstart": { $0.isXIDStart }, "xidcontinue": { $0.isXIDContinue },
    "graphemebase": { $0.isGraphemeBase }, "graphemeextend": { $0.isGraphemeExtend },
    "variationselector": { $0.isVariationSelector },
    "defaultignorablecodepoint": { $0.isDefaultIgnorableCodePoint },
  ]
}

extension Unicode.Scalar {
  fileprivate var isAlphabetic: Bool { isIn(unicode: 16) && properties.isAlphabetic }

  /// Superscripts and fractions that Oniguruma counts as parts of words.
  fileprivate var isLatinNumber: Bool {
    switch value {
    case 0xB2, 0xB3, 0xB9, 0xBC...0xBE: true
    default: false
    }
  }
}
