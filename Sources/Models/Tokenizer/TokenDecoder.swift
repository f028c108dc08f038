// The `decoder` of a tokenizer.json: how tokens become text again. Steps work on tokens as they
// come, so that a text can be shown while it is being sampled; decoding a whole list is the same
// code, which makes both agree.

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
    default: throw fields.error("type", "'\(type)' is not a supported decoder")
    }
  }
}

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
  mutating func feed(_ token: [UInt8]) -> String {
    push(token, at: 0)
    return take()
  }

  /// The rest of the text, when there are no more tokens.
  mutating func finish() -> String {
    for index in steps.indices { flush(at: index) }
    return take()
  }

  private mutating func take() -> String {
    defer { output.removeAll(keepingCapacity: true) }
    return String(decoding: output, as: UTF8.self)
  }

  private mutating func push(_ token: [UInt8], at index: Int) {
    guard index < steps.count else {
      output += token
      return
    }
    let isFused = memories[index].isFused
    switch steps[index] {
    case .fuse: push(token, at: index + 1)
    case .join:
      push(memories[index].isFirst ? token : [0x20] + token, at: index + 1)
      memories[index].isFirst = false
    case .byteLevel: pushBytes(ByteLevel.decode(token), at: index)
    case .strip(let content, let start, let stop):
      if isFused {
        strip(fragment: token, content, stop, at: index)
      } else {
        push(Self.stripped(token, content, start, stop), at: index + 1)
      }
    // After all tokens became one, these need all of it.
    case .replace, .metaspace, .byteFallback:
      if isFused { memories[index].held += token } else { apply(to: token, at: index) }
    }
  }

  /// One whole token of a step that looks at tokens one by one.
  private mutating func apply(to token: [UInt8], at index: Int) {
    switch steps[index] {
    case .replace(let pattern, let content):
      push(pattern.replacing(token, with: content), at: index + 1)
    case .metaspace(let replacement, let removesFirst):
      let removes = removesFirst && memories[index].isFirst
      memories[index].isFirst = false
      push(Self.replacing(replacement, in: token, with: removes ? [] : [0x20]), at: index + 1)
    case .byteFallback:
      if let byte = Self.byte(token) {
        memories[index].held.append(byte)
      } else {
        flush(at: index)
        push(token, at: index + 1)
      }
    case .byteLevel, .fuse, .strip, .join: push(token, at: index + 1)
    }
  }

  private mutating func flush(at index: Int) {
    var memory = Memory()
    swap(&memory.held, &memories[index].held)
    guard !memory.held.isEmpty else { return }
    switch steps[index] {
    case .byteLevel: push(Self.repaired(memory.held), at: index + 1)
    case .byteFallback where !memories[index].isFused:
      let isText = String(validating: memory.held, as: UTF8.self) != nil
      let replacement = Array(repeating: Array("\u{FFFD}".utf8), count: memory.held.count)
      push(isText ? memory.held : Array(replacement.joined()), at: index + 1)
    case .byteFallback: push(memory.held, at: index + 1)
    case .replace, .metaspace: apply(to: memory.held, at: index)
    // What a strip still holds are the characters at the end that it is there to remove.
    case .strip, .fuse, .join: break
    }
  }

  /// Passes on the bytes up to the last one that may begin an unfinished character.
  private mutating func pushBytes(_ bytes: [UInt8], at index: Int) {
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
    push(Self.repaired(Array(held[..<end])), at: index + 1)
  }

  private mutating func strip(
    fragment: [UInt8], _ content: [UInt8], _ stop: Int, at index: Int
  ) {
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
    push(Array(text[..<end]), at: index + 1)
  }

  private static func stripped(
    _ token: [UInt8], _ content: [UInt8], _ start: Int, _ stop: Int
  ) -> [UInt8] {
    var text = token[...]
    for _ in 0..<start where text.starts(with: content) { text = text.dropFirst(content.count) }
    for _ in 0..<stop where text.suffix(content.count).elementsEqual(content) {
      text = text.dropLast(content.count)
    }
    return Array(text)
  }

  private static func replacing(
    _ old: [UInt8], in token: [UInt8], with new: [UInt8]
  ) -> [UInt8] {
    var result: [UInt8] = []
    token.withUnsafeBufferPointer { token in
      token.forEachScalar { range, _ in
        if token[range].elementsEqual(old) { result += new } else { result += token[range] }
      }
    }
    return result
  }

  private static func repaired(_ bytes: [UInt8]) -> [UInt8] {
    Array(String(decoding: bytes, as: UTF8.self).utf8)
  }

  /// The byte of a token such as `<0x0A>`.
  private static func byte(_ token: [UInt8]) -> UInt8? {
    guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else {
      return nil
    }
    return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
  }
}
