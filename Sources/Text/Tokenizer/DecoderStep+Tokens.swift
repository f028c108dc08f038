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

  /// With every character that is `old` exchanged.
  func replacing(scalar old: [UInt8], with new: [UInt8]) throws -> [UInt8] {
    var result: [UInt8] = []
    try withUnsafeBufferPointer { token in
      try token.forEachScalar { range, _ in
        if token[range].elementsEqual(old) { result += new } else { result += token[range] }
      }
    }
    return result
  }

  /// With every occurrence of some bytes exchanged.
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

  /// A token of WordPiece: continuing ones lose their prefix, others get a space in front.
  func wordPiece(_ prefix: [UInt8], isFirst: Bool, cleansUp: Bool) -> [UInt8] {
    var result = self
    if !isFirst { result = starts(with: prefix) ? Array(dropFirst(prefix.count)) : [0x20] + self }
    guard cleansUp else { return result }
    for (old, new) in Self.cleaning { result = result.replacing(old, with: new) }
    return result
  }

  /// The spaces that splitting put before punctuation and short forms of English.
  private static let cleaning: [([UInt8], [UInt8])] = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
    (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ].map { (Array($0.utf8), Array($1.utf8)) }
}
