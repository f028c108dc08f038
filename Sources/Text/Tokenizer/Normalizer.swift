import Core

/// A step that rewrites text before it is split: the `normalizer` of a tokenizer.json.
indirect enum Normalizer: Sendable {
  case sequence([Normalizer])
  case prepend([UInt8])
  case replace(Pattern, [UInt8])
  case form(UnicodeForm)
  case lowercase
  case strip(left: Bool, right: Bool)
  case stripAccents
  case byteLevel
  case nmt
  case bert(BertNormalizer)

  /// A text passing through the steps.
  struct Text {
    var bytes: [UInt8]
    var budget: PatternBudget
    /// Whether the text still begins with the character that it began with, or with one put there.
    var keepsStart = true
  }

  init(_ fields: JSONFields) throws {
    let type = try fields.string("type")
    switch type.asName {
    case "Sequence": self = .sequence(try fields.objects("normalizers").map { try Normalizer($0) })
    case "Prepend": self = .prepend(Array(try fields.string("prepend").utf8))
    case "Replace":
      self = .replace(try fields.pattern("pattern"), Array(try fields.string("content").utf8))
    case "Lowercase": self = .lowercase
    case "Strip":
      self = .strip(
        left: try fields.bool("strip_left", default: true),
        right: try fields.bool("strip_right", default: true))
    case "StripAccents": self = .stripAccents
    case "ByteLevel": self = .byteLevel
    case "Nmt": self = .nmt
    case "BertNormalizer": self = .bert(try BertNormalizer(fields))
    default:
      guard let form = UnicodeForm(rawValue: type.asName) else {
        throw fields.error("type", "'\(type)' is not a supported normalizer")
      }
      self = .form(form)
    }
  }

  /// Rewrites the text; an empty text stays empty.
  func apply(_ text: inout Text) throws {
    guard !text.bytes.isEmpty else { return }
    switch self {
    case .sequence(let steps):
      for step in steps {
        try text.budget.spend(bytes: text.bytes.count)
        try step.apply(&text)
      }
    case .prepend(let prefix): text.bytes = prefix + text.bytes
    case .replace(let pattern, let content): try text.replace(pattern, with: content)
    case .form(let form): text.bytes = try form.apply(text.bytes)
    case .lowercase: try text.lowercase()
    case .strip(let left, let right): text.strip(left: left, right: right)
    case .stripAccents: try text.map { $0.isMarkInLibrary ? nil : $0 }
    case .byteLevel:
      var result: [UInt8] = []
      try text.bytes.withUnsafeBufferPointer { try ByteLevel.append($0, to: &result) }
      text.bytes = result
    case .nmt: try text.map(Self.nmt)
    case .bert(let normalizer): try normalizer.apply(&text)
    }
  }

  /// SentencePiece's `nmt` rules: most control characters go, odd spaces become spaces.
  private static func nmt(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    switch scalar.value {
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: nil
    case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
      " "
    default: scalar
    }
  }
}

extension Normalizer.Text {
  /// Rewrites or drops each character.
  mutating func map(_ change: (Unicode.Scalar) -> Unicode.Scalar?) throws {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var keeps = true
    try bytes.withUnsafeBufferPointer { bytes in
      try bytes.forEachScalar { range, scalar in
        guard let changed = change(scalar) else {
          if range.lowerBound == 0 { keeps = false }
          return
        }
        if changed == scalar {
          result += bytes[range]
        } else {
          result += UTF8.encode(changed).map { Array($0) } ?? []
        }
      }
    }
    bytes = result
    keepsStart = keepsStart && keeps
  }

  mutating func lowercase() throws {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    try bytes.withUnsafeBufferPointer { bytes in
      try bytes.forEachScalar { range, scalar in
        if scalar.isASCII {
          let isUpper = scalar.value >= 0x41 && scalar.value <= 0x5A
          result.append(bytes[range.lowerBound] + (isUpper ? 0x20 : 0))
        } else {
          result += scalar.properties.lowercaseMapping.utf8
        }
      }
    }
    bytes = result
  }

  fileprivate mutating func strip(left: Bool, right: Bool) {
    var scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars[...]
    if left, scalars.first?.isSpace == true {
      scalars = scalars.drop { $0.isSpace }
      keepsStart = false
    }
    while right, let last = scalars.last, last.isSpace { scalars.removeLast() }
    bytes = Array(String(scalars).utf8)
  }

  fileprivate mutating func replace(_ pattern: Pattern, with content: [UInt8]) throws {
    let result = try pattern.replacing(bytes, with: content, &budget) { match in
      // In the library, a replacement of several characters starts where the last of them did.
      let first = bytes.withUnsafeBufferPointer { $0.scalar(at: 0).length }
      if match.lowerBound == 0, content.isEmpty ? !match.isEmpty : match.upperBound > first {
        keepsStart = false
      }
    }
    bytes = result
  }
}

extension Pattern {
  /// The text with every match replaced.
  func replacing(
    _ text: [UInt8], with content: [UInt8], _ budget: inout PatternBudget,
    _ onMatch: (Range<Int>) -> Void = { _ in }
  ) throws -> [UInt8] {
    var result: [UInt8] = []
    var end = 0
    var added = 0
    let most = budget.steps
    try text.withUnsafeBufferPointer { text in
      try forEachMatch(in: text, &budget) { match in
        added += content.count
        if added > most { return }
        result += text[end..<match.lowerBound]
        result += content
        end = match.upperBound
        onMatch(match)
      }
      try budget.spend(bytes: added)
      result += text[end...]
    }
    return result
  }
}

extension JSONFields {
  /// A pattern written `{"String": …}` or `{"Regex": …}`.
  func pattern(_ key: String) throws -> Pattern {
    guard let object = try object(key) else { throw error(key, "is missing; it must be a pattern") }
    let isText = object["String"] != nil
    let text = try object.string(isText ? "String" : "Regex")
    do { return try isText ? Pattern(literal: text) : Pattern(text) } catch let reason
      as PatternError
    {
      throw error(key, "\(text.debugDescription): \(reason)")
    }
  }
}
