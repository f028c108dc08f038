/// BERT's cleaning of text (Devlin et al. 2019, `BasicTokenizer`): the `BertNormalizer` of a
/// tokenizer.json.
struct BertNormalizer: Sendable {
  private let cleans: Bool
  private let separatesChinese: Bool
  private let stripsAccents: Bool
  private let lowercases: Bool

  init(_ fields: JSONFields) throws {
    cleans = try fields.bool("clean_text", default: true)
    separatesChinese = try fields.bool("handle_chinese_chars", default: true)
    lowercases = try fields.bool("lowercase", default: true)
    stripsAccents = try fields.bool("strip_accents", default: lowercases)
  }

  func apply(_ text: inout Normalizer.Text) throws {
    if cleans { try text.map(Self.clean) }
    if separatesChinese { try Self.separateChinese(&text) }
    if stripsAccents {
      text.bytes = try UnicodeForm.decomposed.apply(text.bytes)
      try text.map { $0.isNonspacingInLibrary ? nil : $0 }
    }
    if lowercases { try text.lowercase() }
  }

  /// Drops control characters; white space becomes a space.
  private static func clean(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D: return " "
    case 0x00, 0xFFFD: return nil
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .privateUse, .surrogate: return nil
    case .format where scalar.isIn(unicode: 8): return nil
    default: return scalar.isSpace ? " " : scalar
    }
  }

  private static func separateChinese(_ text: inout Normalizer.Text) throws {
    var result: [UInt8] = []
    try text.bytes.withUnsafeBufferPointer { bytes in
      try bytes.forEachScalar { range, scalar in
        let isChinese = isChinese(scalar.value)
        if isChinese { result.append(0x20) }
        result += bytes[range]
        if isChinese { result.append(0x20) }
      }
    }
    text.bytes = result
  }

  private static func isChinese(_ code: UInt32) -> Bool {
    switch code {
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
      0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}

extension Unicode.Scalar {
  /// A combining mark of Unicode 9, the version in which the library strips accents.
  var isMarkInLibrary: Bool {
    // Two signs that later became letters.
    if value == 0x1CF2 || value == 0x1CF3 { return true }
    return isIn(unicode: 9) && categoryBit & (0b111 << 5) != 0
  }

  /// A nonspacing mark of Unicode 8; four characters have changed their category since.
  fileprivate var isNonspacingInLibrary: Bool {
    switch value {
    case 0x1734: true
    case 0xA9BD, 0x111C9, 0x111CF: false
    default: isIn(unicode: 8) && properties.generalCategory == .nonspacingMark
    }
  }
}
