// The `added_tokens` of a tokenizer.json: tokens that are cut out of the text before anything else,
// such as <|im_end|>.

/// A token that is found in the text as a whole.
struct AddedToken: Sendable {
  private(set) var id: Int
  let content: [UInt8]
  let isSpecial: Bool
  /// Only between characters that are not part of a word.
  let isSingleWord: Bool
  /// Takes the white space before, or behind, with it.
  let stripsLeft: Bool
  let stripsRight: Bool
  /// Is looked for in the normalized text instead of the original.
  let isNormalized: Bool

  init(_ fields: JSONFields) throws {
    id = try fields.integer("id", in: 0...BPE.largestID)
    content = Array(try fields.string("content").utf8)
    isSpecial = try fields.bool("special", default: false)
    isSingleWord = try fields.bool("single_word", default: false)
    stripsLeft = try fields.bool("lstrip", default: false)
    stripsRight = try fields.bool("rstrip", default: false)
    isNormalized = try fields.bool("normalized", default: !isSpecial)
  }
}

extension AddedToken {
  /// The tokens of a file, numbered as the `tokenizers` library numbers them: a token that the
  /// vocabulary has keeps its id, the others go on from the vocabulary's size. That is what files
  /// say that the library has written.
  static func numbered(_ tokens: [AddedToken], _ model: BPE) -> [AddedToken] {
    var next = model.ids.count
    var ids: [[UInt8]: Int] = [:]
    return tokens.map { token in
      var token = token
      if let index = model.strings.find(token.content) {
        token.id = Int(model.ids[index])
      } else {
        token.id = ids[token.content] ?? next
        if token.id == next { next += 1 }
      }
      ids[token.content] = token.id
      return token
    }
  }
}

/// Finds added tokens in a text: the leftmost first, of several at one place the longest.
struct AddedTokenFinder: Sendable {
  private struct Entry {
    let content: [UInt8]
    let token: AddedToken
  }

  /// Entries by first byte, longest first.
  private var entries = [[Entry]](repeating: [], count: 256)
  private var isEmpty = true

  /// Looks for each token's `content` as `spelling` gives it.
  init(
    _ tokens: [AddedToken], spelling: (AddedToken) throws -> [UInt8] = { $0.content }
  ) throws {
    for token in tokens {
      let content = try spelling(token)
      guard let first = content.first else { continue }
      // Normalized, two tokens may be the same text; the later one counts.
      entries[Int(first)].removeAll { $0.content == content }
      entries[Int(first)].append(Entry(content: content, token: token))
      isEmpty = false
    }
    for byte in entries.indices { entries[byte].sort { $0.content.count > $1.content.count } }
  }

  /// Calls `text` with the ranges between tokens and `token` with the tokens, in order.
  func split(
    _ bytes: UTF8Bytes, text: (Range<Int>) throws -> Void, token: (AddedToken) throws -> Void
  ) rethrows {
    var (end, position) = (0, 0)
    while !isEmpty, position < bytes.count {
      guard let entry = entry(bytes, at: position) else {
        position += 1
        continue
      }
      let range = position..<position + entry.content.count
      // The next token may stand in the space that this one takes with it. Where nothing is left
      // for it, it goes: so does the `tokenizers` library.
      position = range.upperBound
      if entry.token.isSingleWord, !isWholeWord(bytes, range) { continue }
      let start =
        entry.token.stripsLeft ? spaceStart(bytes, range, from: end) : range.lowerBound
      if end < start { try text(end..<start) }
      end = entry.token.stripsRight ? spaceEnd(bytes, range.upperBound) : range.upperBound
      if start < end { try token(entry.token) }
    }
    if end < bytes.count { try text(end..<bytes.count) }
  }

  @inline(__always)
  private func entry(_ bytes: UTF8Bytes, at position: Int) -> Entry? {
    let candidates = entries[Int(bytes[position])]
    return candidates.isEmpty ? nil : candidates.first { bytes.has($0.content, at: position) }
  }

  private func isWholeWord(_ bytes: UTF8Bytes, _ range: Range<Int>) -> Bool {
    let (start, end) = (range.lowerBound, range.upperBound)
    if start > 0, bytes.scalar(at: bytes.before(start)).value.isWordInRust { return false }
    return end == bytes.count || !bytes.scalar(at: end).value.isWordInRust
  }

  private func spaceStart(_ bytes: UTF8Bytes, _ range: Range<Int>, from limit: Int) -> Int {
    var start = max(limit, range.lowerBound)
    while start > limit {
      let before = bytes.before(start)
      guard bytes.scalar(at: before).value.properties.isWhitespace else { break }
      start = before
    }
    return start
  }

  private func spaceEnd(_ bytes: UTF8Bytes, _ start: Int) -> Int {
    var end = start
    while end < bytes.count {
      let (scalar, length) = bytes.scalar(at: end)
      guard scalar.properties.isWhitespace else { break }
      end += length
    }
    return end
  }
}
