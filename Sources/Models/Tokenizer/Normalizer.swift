// The standard library's own normalization: Foundation's would add 18 ms to every start of the
// program. It has no compatibility forms, so NFKC and NFKD are refused.
@_spi(_Unicode) import Swift

/// A step that rewrites text before it is split: the `normalizer` of a tokenizer.json.
indirect enum Normalizer: Sendable {
  case sequence([Normalizer])
  case prepend([UInt8])
  case replace(Pattern, [UInt8])
  case composed
  case decomposed
  case lowercase
  case strip(left: Bool, right: Bool)
  case stripAccents
  case byteLevel

  init(_ fields: JSONFields) throws {
    let type = try fields.string("type")
    switch type {
    case "Sequence": self = .sequence(try fields.objects("normalizers").map { try Normalizer($0) })
    case "Prepend": self = .prepend(Array(try fields.string("prepend").utf8))
    case "Replace":
      self = .replace(try fields.pattern("pattern"), Array(try fields.string("content").utf8))
    case "NFC": self = .composed
    case "NFD": self = .decomposed
    case "Lowercase": self = .lowercase
    case "Strip":
      self = .strip(
        left: try fields.bool("strip_left", default: true),
        right: try fields.bool("strip_right", default: true))
    case "StripAccents": self = .stripAccents
    case "ByteLevel": self = .byteLevel
    default: throw fields.error("type", "'\(type)' is not a supported normalizer")
    }
  }

  /// The text rewritten; an empty text stays empty.
  func apply(_ text: [UInt8]) -> [UInt8] {
    guard !text.isEmpty else { return text }
    switch self {
    case .sequence(let steps): return steps.reduce(text) { $1.apply($0) }
    case .prepend(let prefix): return prefix + text
    case .replace(let pattern, let content): return pattern.replacing(text, with: content)
    // Below U+0300 nothing composes; below U+0080 nothing changes.
    case .composed:
      if text.allSatisfy({ $0 < 0xCC }) { return text }
      return Self.utf8(String(decoding: text, as: UTF8.self)._nfc)
    case .decomposed:
      if text.allSatisfy({ $0 < 0x80 }) { return text }
      return Self.utf8(String(decoding: text, as: UTF8.self)._nfd)
    case .lowercase: return Self.mapping(text) { $0.properties.lowercaseMapping }
    case .strip(let left, let right): return Self.strip(text, left: left, right: right)
    case .stripAccents:
      return Self.mapping(text) {
        $0.properties.generalCategory == .nonspacingMark ? "" : String(Character($0))
      }
    case .byteLevel:
      var result: [UInt8] = []
      text.withUnsafeBufferPointer { ByteLevel.append($0, to: &result) }
      return result
    }
  }

  private static func utf8(_ scalars: some Sequence<Unicode.Scalar>) -> [UInt8] {
    var result = String.UnicodeScalarView()
    result.append(contentsOf: scalars)
    return Array(String(result).utf8)
  }

  private static func mapping(
    _ text: [UInt8], _ map: (Unicode.Scalar) -> String
  ) -> [UInt8] {
    var result: [UInt8] = []
    text.withUnsafeBufferPointer { text in
      text.forEachScalar { _, scalar in result += map(scalar).utf8 }
    }
    return result
  }

  private static func strip(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
    var scalars = String(decoding: text, as: UTF8.self).unicodeScalars[...]
    if left { scalars = scalars.drop { $0.properties.isWhitespace } }
    while right, let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return Array(String(scalars).utf8)
  }
}

extension Pattern {
  /// The text with every match replaced.
  func replacing(_ text: [UInt8], with content: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var end = 0
    text.withUnsafeBufferPointer { text in
      forEachMatch(in: text) { match in
        result += text[end..<match.lowerBound]
        result += content
        end = match.upperBound
      }
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
