// The `decoder` of a tokenizer.json: how tokens become text again.

import Core

enum DecoderStep: Sendable {
  /// Characters of the byte-level alphabet become bytes; invalid UTF-8 becomes U+FFFD.
  case byteLevel
  /// Runs of tokens such as `<0xE2>` become bytes; an invalid run becomes a U+FFFD for each byte.
  case byteFallback
  /// All tokens become one.
  case fuse
  /// Removes up to `start` and `stop` times a character from the ends of a token.
  case strip([UInt8], start: Int, stop: Int)
  case replace(Pattern, [UInt8])
  /// The visible space becomes a space; the first token's are removed where one was put in front.
  case metaspace([UInt8], removesFirst: Bool)
  /// A space between tokens: what happens without a decoder.
  case join
  /// A mark at the end of words becomes a space, in the last token nothing.
  case wordEnd([UInt8])
  /// Continuing tokens lose their prefix, others get a leading space.
  case wordPiece(prefix: [UInt8], cleansUp: Bool)

  /// The steps of a decoder, sequences taken apart.
  static func steps(_ fields: JSONFields?) throws -> [DecoderStep] {
    guard let fields else { return [.join] }
    let type = try fields.string("type")
    switch type.asName {
    case "Sequence": return try fields.objects("decoders").flatMap { try steps($0) }
    case "ByteLevel": return [.byteLevel]
    case "ByteFallback": return [.byteFallback]
    case "Fuse": return [.fuse]
    case "Strip":
      let content = Array(try fields.string("content").utf8)
      guard !content.isEmpty else { throw fields.error("content", "must be one character") }
      return [
        .strip(
          content, start: try fields.integer("start", in: 0...1000),
          stop: try fields.integer("stop", in: 0...1000))
      ]
    case "Replace":
      return [.replace(try fields.pattern("pattern"), Array(try fields.string("content").utf8))]
    case "Metaspace":
      let metaspace = try Metaspace(fields)
      return [.metaspace(metaspace.replacement, removesFirst: metaspace.prepend != .never)]
    case "BPEDecoder":
      return [.wordEnd(Array(try fields.string("suffix", default: "</w>").utf8))]
    case "WordPiece":
      let prefix = Array(try fields.string("prefix", default: "##").utf8)
      return [.wordPiece(prefix: prefix, cleansUp: try fields.bool("cleanup", default: true))]
    default: throw fields.error("type", "'\(type)' is not a supported decoder")
    }
  }
}

// What the steps of a decoder do with the bytes of one token.

extension [UInt8] {
  /// Without up to `start` and `stop` times a character at the ends.
  func stripped(_ content: [UInt8], _ start: Int, _ stop: Int) -> [UInt8] {
    var text = self[...]
    for _ in 0..<start where text.starts(with: content) { text = text.dropFirst(content.count) }
    for _ in 0..<stop where text.suffix(content.count).elementsEqual(content) {
      text = text.dropLast(content.count)
    }
    return Array(text)
  }

  /// With every `old` character replaced.
  func replacing(scalar old: [UInt8], with new: [UInt8]) throws -> [UInt8] {
    var result: [UInt8] = []
    try withUnsafeBufferPointer { token in
      try token.forEachScalar { range, _ in
        if token[range].elementsEqual(old) { result += new } else { result += token[range] }
      }
    }
    return result
  }

  /// With every occurrence of some bytes replaced.
  func replacing(_ old: [UInt8], with new: [UInt8]) -> [UInt8] {
    guard !old.isEmpty else { return self }
    var result: [UInt8] = []
    var position = 0
    withUnsafeBufferPointer { token in
      while position < token.count {
        if token.has(old, at: position) {
          result += new
          position += old.count
        } else {
          result.append(token[position])
          position += 1
        }
      }
    }
    return result
  }

  /// Invalid UTF-8 becomes U+FFFD.
  var repaired: [UInt8] { Array(String(decoding: self, as: UTF8.self).utf8) }

  /// The byte of a token such as `<0x0A>`.
  var byteOfFallback: UInt8? {
    guard count == 6, starts(with: "<0x".utf8), self[5] == UInt8(ascii: ">") else { return nil }
    return UInt8(String(decoding: self[3..<5], as: UTF8.self), radix: 16)
  }

  /// A token of WordPiece: continuing ones lose their prefix, others get a leading space.
  func wordPiece(_ prefix: [UInt8], isFirst: Bool, cleansUp: Bool) -> [UInt8] {
    var result = self
    if !isFirst { result = starts(with: prefix) ? Array(dropFirst(prefix.count)) : [0x20] + self }
    guard cleansUp else { return result }
    for (old, new) in Self.cleaning { result = result.replacing(old, with: new) }
    return result
  }

  /// Spaces that splitting inserted before punctuation and English contractions.
  private static let cleaning: [([UInt8], [UInt8])] = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
    (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ].map { (Array($0.utf8), Array($1.utf8)) }
}
