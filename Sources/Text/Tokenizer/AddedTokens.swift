// The `added_tokens` of a tokenizer.json: tokens extracted from the text before anything else, such
// as <|im_end|>.

import Core

/// A token matched as a whole.
struct AddedToken: Sendable {
  private(set) var id: Int
  let content: [UInt8]
  let isSpecial: Bool
  /// Only between characters that are not part of a word.
  let isSingleWord: Bool
  /// Includes the white space before, or after, it.
  let stripsLeft: Bool
  let stripsRight: Bool
  /// Matched in the normalized text instead of the original.
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
  /// The tokens of a file, numbered as the `tokenizers` library numbers them: a token in the
  /// vocabulary keeps its id, the others continue from the vocabulary size, as in files written by
  /// the library.
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

/// Finds added tokens in a text: leftmost first, then longest.
struct AddedTokenFinder: Sendable {
  private struct Entry {
    let content: [UInt8]
    let token: AddedToken
  }

  /// Entries by first byte, each list in the order of the bytes.
  private var entries = [[Entry]](repeating: [], count: 256)
  private var isEmpty = true

  /// Looks for each token's `content` as `spelling` gives it.
  init(
    _ tokens: [AddedToken], spelling: (AddedToken) throws -> [UInt8] = { $0.content }
  ) throws {
    // Two tokens may normalize to the same text; the later one wins.
    var found: [[UInt8]: AddedToken] = [:]
    for token in tokens { found[try spelling(token)] = token }
    for (content, token) in found {
      guard let first = content.first else { continue }
      entries[Int(first)].append(Entry(content: content, token: token))
      isEmpty = false
    }
    for byte in entries.indices {
      entries[byte].sort { $0.content.lexicographicallyPrecedes($1.content) }
    }
  }

  /// Calls `text` with the ranges between tokens and `token` with the tokens, in order.
  func split(
    _ bytes: UTF8Bytes, text: (Range<Int>) throws -> Void, token: (AddedToken) throws -> Void
  ) throws {
    var (end, position, pause) = (0, 0, Interrupt.interval)
    while !isEmpty, position < bytes.count {
      if position >= pause {
        try Interrupt.check()
        pause = position + Interrupt.interval
      }
      guard let entry = entry(bytes, at: position) else {
        position += 1
        continue
      }
      let range = position..<position + entry.content.count
      // The next token may be in the white space that this one includes. If nothing is left of it,
      // it is dropped, as in the `tokenizers` library.
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
    return candidates.isEmpty ? nil : longest(candidates, bytes, at: position)
  }

  /// The longest of the entries that stands at a position, found byte by byte among those that
  /// begin with the bytes so far: many tokens with the same beginning cost no more than one.
  private func longest(_ entries: [Entry], _ bytes: UTF8Bytes, at position: Int) -> Entry? {
    var (low, high, length) = (0, entries.count, 1)
    var found: Entry?
    while true {
      // Of those with the same beginning the shortest comes first.
      if entries[low].content.count == length {
        found = entries[low]
        low += 1
      }
      guard low < high, position + length < bytes.count else { return found }
      let byte = bytes[position + length]
      low = Self.first(entries, low..<high) { $0.content[length] >= byte }
      high = Self.first(entries, low..<high) { $0.content[length] > byte }
      guard low < high else { return found }
      length += 1
    }
  }

  /// The first place in a sorted range where a condition holds, or its end.
  private static func first(
    _ entries: [Entry], _ range: Range<Int>, where holds: (Entry) -> Bool
  ) -> Int {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if holds(entries[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
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
      guard bytes.scalar(at: before).value.isSpace else { break }
      start = before
    }
    return start
  }

  private func spaceEnd(_ bytes: UTF8Bytes, _ start: Int) -> Int {
    var end = start
    while end < bytes.count {
      let (scalar, length) = bytes.scalar(at: end)
      guard scalar.isSpace else { break }
      end += length
    }
    return end
  }
}
