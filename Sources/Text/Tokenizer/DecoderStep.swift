// The `decoder` of a tokenizer.json: how tokens become text again.

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
  /// A mark in front of continuing tokens goes, others get a space in front.
  case wordPiece(prefix: [UInt8], cleansUp: Bool)

  /// The steps of a decoder, sequences taken apart.
  static func steps(_ fields: JSONFields?) throws -> [DecoderStep] {
    guard let fields else { return [.join] }
    let type = try fields.string("type")
    switch type {
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
