// Incremental decoding, to show a text while it is sampled; decoding a whole list uses the same
// code, so both agree.

import Core

/// The steps with what they remember between tokens.
struct TokenDecoder {
  private struct Memory {
    /// Bytes held back until more is known.
    var held: [UInt8] = []
    var isFirst = true
    /// Whether an earlier step has made one token of all.
    var isFused = false
    /// Characters that may still be stripped from the start.
    var start = 0
  }

  private let steps: [DecoderStep]
  private var memories: [Memory] = []
  private var output: [UInt8] = []
  private var budget = PatternBudget(bytes: 0)

  init(_ steps: [DecoderStep]) {
    self.steps = steps
    var isFused = false
    for step in steps {
      var memory = Memory()
      memory.isFused = isFused
      if case .strip(_, let start, _) = step { memory.start = start }
      memories.append(memory)
      switch step {
      case .byteLevel, .fuse: isFused = true
      default: break
      }
    }
  }

  /// The text that is certain after one more token.
  mutating func feed(_ token: [UInt8]) throws -> String {
    budget.add(bytes: token.count)
    try push(token, at: 0)
    return take()
  }

  /// The rest of the text, when there are no more tokens.
  mutating func finish() throws -> String {
    for index in steps.indices { try flush(at: index) }
    return take()
  }

  private mutating func take() -> String {
    defer { output.removeAll(keepingCapacity: true) }
    return String(decoding: output, as: UTF8.self)
  }

  private mutating func push(_ token: [UInt8], at index: Int) throws {
    guard index < steps.count else {
      output += token
      return
    }
    try budget.spend(bytes: token.count)
    let isFused = memories[index].isFused
    switch steps[index] {
    case .fuse: try push(token, at: index + 1)
    case .join:
      try push(memories[index].isFirst ? token : [0x20] + token, at: index + 1)
      memories[index].isFirst = false
    case .byteLevel where isFused: memories[index].held += token
    case .byteLevel: try pushBytes(ByteLevel.decode(token), at: index)
    case .strip(let content, let start, let stop):
      if isFused {
        try strip(fragment: token, content, stop, at: index)
      } else {
        try push(token.stripped(content, start, stop), at: index + 1)
      }
    // After all tokens became one, these need all of it.
    case .wordEnd(let suffix): try push(wordEnd: suffix, token, at: index)
    case .replace, .metaspace, .byteFallback, .wordPiece:
      if isFused { memories[index].held += token } else { try apply(to: token, at: index) }
    }
  }

  /// One whole token of a step that looks at tokens one by one.
  private mutating func apply(to token: [UInt8], at index: Int) throws {
    switch steps[index] {
    case .replace(let pattern, let content):
      try push(pattern.replacing(token, with: content, &budget), at: index + 1)
    case .metaspace(let replacement, let removesFirst):
      let removes = removesFirst && memories[index].isFirst
      memories[index].isFirst = false
      try push(token.replacing(scalar: replacement, with: removes ? [] : [0x20]), at: index + 1)
    case .byteFallback:
      if let byte = token.byteOfFallback {
        memories[index].held.append(byte)
      } else {
        try flush(at: index)
        try push(token, at: index + 1)
      }
    case .wordPiece(let prefix, let cleansUp):
      let isFirst = memories[index].isFirst
      memories[index].isFirst = false
      try push(token.wordPiece(prefix, isFirst: isFirst, cleansUp: cleansUp), at: index + 1)
    case .byteLevel, .fuse, .strip, .join, .wordEnd: try push(token, at: index + 1)
    }
  }

  private mutating func flush(at index: Int) throws {
    var memory = Memory()
    swap(&memory.held, &memories[index].held)
    guard !memory.held.isEmpty else { return }
    switch steps[index] {
    case .byteLevel:
      let bytes = try memories[index].isFused ? ByteLevel.decode(memory.held) : memory.held
      try push(bytes.repaired, at: index + 1)
    case .byteFallback:
      let fused = memories[index].isFused ? memory.held.byteOfFallback.map { [$0] } : memory.held
      try pushFallback(fused, orToken: memory.held, at: index + 1)
    case .replace, .metaspace, .wordPiece: try apply(to: memory.held, at: index)
    case .wordEnd(let suffix): try push(memory.held.replacing(suffix, with: []), at: index + 1)
    // What a strip still holds are trailing characters to remove.
    case .strip, .fuse, .join: break
    }
  }

  /// Bytes that are text are one token, others become a U+FFFD each.
  private mutating func pushFallback(
    _ bytes: [UInt8]?, orToken token: [UInt8], at index: Int
  ) throws {
    guard let bytes else { return try push(token, at: index) }
    if String(validating: bytes, as: UTF8.self) != nil { return try push(bytes, at: index) }
    for _ in bytes { try push(Array("\u{FFFD}".utf8), at: index) }
  }

  /// Passes on the bytes up to the last one that may begin an unfinished character.
  private mutating func pushBytes(_ bytes: [UInt8], at index: Int) throws {
    memories[index].held += bytes
    let held = memories[index].held
    var end = held.count
    for back in 1...3 where back <= held.count {
      let lead = held[held.count - back]
      if lead >= 0xC0, UTF8Bytes.scalarLength(lead) > back { end = held.count - back }
      if lead & 0xC0 != 0x80 { break }
    }
    guard end > 0 else { return }
    memories[index].held = Array(held[end...])
    try push(Array(held[..<end]).repaired, at: index + 1)
  }

  /// Delays each token until another follows; a fused text has only a last one.
  private mutating func push(wordEnd suffix: [UInt8], _ token: [UInt8], at index: Int) throws {
    if memories[index].isFused {
      memories[index].held += token
      return
    }
    let isFirst = memories[index].isFirst
    memories[index].isFirst = false
    var previous = token
    swap(&previous, &memories[index].held)
    if !isFirst { try push(previous.replacing(suffix, with: [0x20]), at: index + 1) }
  }

  private mutating func strip(
    fragment: [UInt8], _ content: [UInt8], _ stop: Int, at index: Int
  ) throws {
    var text = (memories[index].held + fragment)[...]
    while memories[index].start > 0, text.starts(with: content) {
      text = text.dropFirst(content.count)
      memories[index].start -= 1
    }
    if !text.isEmpty { memories[index].start = 0 }
    var end = text.endIndex
    for _ in 0..<stop where text[..<end].suffix(content.count).elementsEqual(content) {
      end -= content.count
    }
    memories[index].held = Array(text[end...])
    try push(Array(text[..<end]), at: index + 1)
  }
}

/// Turns ids into text one by one, while they are being sampled.
///
/// The pieces, joined, are `decode` of all ids. A piece may be empty: bytes of an incomplete
/// character are buffered.
public struct StreamDecoder {
  private let tokenizer: Tokenizer
  private let skipsSpecialTokens: Bool
  private var decoder: TokenDecoder

  /// Begins a text; the options are those of `decode`.
  public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = false) {
    self.tokenizer = tokenizer
    skipsSpecialTokens = skipSpecialTokens
    decoder = TokenDecoder(tokenizer.decoderSteps)
  }

  /// Continues after a prompt, whose text is omitted; a leading space of the continuation is kept.
  public init(
    _ tokenizer: Tokenizer, after prompt: [Int], skipSpecialTokens: Bool = false
  ) throws {
    self.init(tokenizer, skipSpecialTokens: skipSpecialTokens)
    for id in prompt { _ = try feed(id) }
  }

  /// The text that is certain after one more id; throws as `decode` does.
  public mutating func feed(_ id: Int) throws -> String {
    guard let token = try tokenizer.text(id) else { return "" }
    return skipsSpecialTokens && tokenizer.isSkipped(id) ? "" : try decoder.feed(token)
  }

  /// The rest of the text; call it once, after the last id.
  public mutating func finish() throws -> String { try decoder.finish() }
}
