import Core

/// SentencePiece's treatment of spaces: each becomes a visible character, usually U+2581, and one
/// may be prepended.
struct Metaspace: Sendable {
  enum Prepend: String { case always, first, never }

  let replacement: [UInt8]
  let prepend: Prepend
  /// Splits before each replacement; nil if the text is not split.
  private let pattern: Pattern?

  init(_ fields: JSONFields) throws {
    replacement = Array(try fields.string("replacement", default: "\u{2581}").utf8)
    let adds = try fields.bool("add_prefix_space", default: true)
    let name = try fields.string("prepend_scheme", default: adds ? "always" : "never")
    guard let prepend = Prepend(rawValue: name.asName) else {
      throw fields.error("prepend_scheme", "'\(name)' is not one of always, first, never")
    }
    guard String(decoding: replacement, as: UTF8.self).unicodeScalars.count == 1 else {
      throw fields.error("replacement", "must be one character")
    }
    self.prepend = prepend
    let splits = try fields.bool("split", default: true)
    pattern = splits ? try Pattern(literal: String(decoding: replacement, as: UTF8.self)) : nil
  }

  /// Only puts a space in front of every piece that does not begin with one, as ByteLevel does.
  init(prefixSpace: Bool) {
    replacement = [0x20]
    prepend = prefixSpace ? .always : .never
    pattern = nil
  }

  func apply(_ pieces: inout Pieces) throws {
    if prepend == .never, replacement == [0x20] { return }
    let isAtStart = pieces.isAtStart
    try pieces.rewrite { index, piece, result in
      let isFirst = prepend == .always || prepend == .first && isAtStart && index == 0
      if isFirst, piece.first != 0x20, !piece.has(replacement, at: 0) { result += replacement }
      for byte in piece {
        if byte == 0x20 { result += replacement } else { result.append(byte) }
      }
    }
    if let pattern { try pieces.split(pattern, .mergedWithNext, inverted: false) }
  }
}
