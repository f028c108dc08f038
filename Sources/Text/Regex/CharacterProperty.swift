// The names that Oniguruma knows for sets of characters: `\p{NAME}` and `[:NAME:]`. Case, spaces,
// hyphens and underscores in a name do not matter. Left out: blocks (`\p{InBasicLatin}`), ages.

enum CharacterProperty {
  static let hexDigit = ScalarSet.Kind.property { isASCIIHexDigit($0) }

  /// The set that `\p{NAME}` stands for; nil when there is none.
  static func named(_ name: String) -> ScalarSet.Kind? {
    let name = simplified(name)
    return category(name) ?? common[name] ?? binary(name)
      ?? UnicodeScripts.ranges(name).map { .ranges($0) }
  }

  /// The set that `[:NAME:]` stands for; nil when there is none.
  static func inBrackets(_ name: String) -> ScalarSet.Kind? {
    switch name {
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
    !scalar.properties.isWhitespace
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
