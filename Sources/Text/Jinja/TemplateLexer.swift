// Tokenizes a template. White space around tags is handled here, as Jinja does with `trim_blocks`
// and `lstrip_blocks`, the settings of transformers: the newline after a block tag is removed, and
// so are blanks before a block tag that starts its line; `-` in a tag removes all white space on
// its side, `+` keeps it.

struct TemplateLexer {
  let bytes: [UInt8]
  var position = 0
  var line = 1
  var tokens: [TemplateToken] = []
  /// Whether the last token ended a line; true at the beginning.
  private var isAtLineStart = true

  /// All tokens of a template, closed by `end`; throws a `TemplateFault` with `line` at its place.
  init(_ source: String) {
    var bytes: [UInt8] = []
    var previous: UInt8 = 0
    for byte in source.utf8 {
      if byte == 10, previous == 13 {  // the carriage return became the line break
      } else {
        bytes.append(byte == 13 ? 10 : byte)
      }
      previous = byte
    }
    if bytes.last == 10 { bytes.removeLast() }
    self.bytes = bytes
  }

  mutating func tokenize() throws {
    while position < bytes.count {
      let start = nextTag()
      guard start < bytes.count else {
        addText(position..<start, sign: nil, isVariable: true)
        break
      }
      let kind = bytes[start + 1]
      var sign: UInt8?
      if start + 2 < bytes.count, bytes[start + 2] == UInt8(ascii: "-") { sign = bytes[start + 2] }
      if start + 2 < bytes.count, bytes[start + 2] == UInt8(ascii: "+") { sign = bytes[start + 2] }
      addText(position..<start, sign: sign, isVariable: kind == UInt8(ascii: "{"))
      position = start + (sign == nil ? 2 : 3)
      try tag(kind)
    }
    add(.end)
  }

  mutating func add(_ kind: TemplateToken.Kind) {
    tokens.append(TemplateToken(kind: kind, line: line))
  }

  /// The position of the next `{{`, `{%` or `{#`, or the end.
  private func nextTag() -> Int {
    var i = position
    while i + 1 < bytes.count {
      if bytes[i] == UInt8(ascii: "{") {
        switch bytes[i + 1] {
        case UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "#"): return i
        default: break
        }
      }
      i += 1
    }
    return bytes.count
  }

  private mutating func addText(_ range: Range<Int>, sign: UInt8?, isVariable: Bool) {
    var end = range.upperBound
    if sign == UInt8(ascii: "-") {
      end = bytes[range].endWithoutSpace
    } else if sign == nil, !isVariable {
      var start = end
      while start > range.lowerBound, bytes[start - 1].isBlank { start -= 1 }
      let beginsLine =
        start == range.lowerBound ? isAtLineStart : bytes[start - 1] == 10
      if beginsLine { end = start }
    }
    if end > range.lowerBound {
      add(.text(String(decoding: bytes[range.lowerBound..<end], as: UTF8.self)))
    }
    line += bytes[range].count { $0 == 10 }
  }

  private mutating func tag(_ kind: UInt8) throws {
    switch kind {
    case UInt8(ascii: "#"):
      try skip(toEndOf: "#")
    case UInt8(ascii: "%"):
      if try raw() { return }
      add(.blockStart)
      try expression(closing: UInt8(ascii: "%"))
      add(.blockEnd)
    default:
      add(.variableStart)
      try expression(closing: UInt8(ascii: "}"))
      add(.variableEnd)
    }
  }

  /// Passes a comment.
  private mutating func skip(toEndOf kind: Character) throws {
    let start = position
    while position < bytes.count {
      if isEnd(UInt8(ascii: "#")) {
        line += bytes[start..<position].count { $0 == 10 }
        return close(UInt8(ascii: "#"))
      }
      position += 1
    }
    throw TemplateFault("a comment '{#' has no end '#}'")
  }

  /// Skips `{% raw %} … {% endraw %}` and returns whether there was one.
  private mutating func raw() throws -> Bool {
    var next = position
    guard word("raw", at: &next) else { return false }
    let strips = next < bytes.count && bytes[next] == UInt8(ascii: "-")
    if strips { next += 1 }
    guard next + 1 < bytes.count, bytes[next] == UInt8(ascii: "%"),
      bytes[next + 1] == UInt8(ascii: "}")
    else { return false }
    next += 2
    if strips { while next < bytes.count, bytes[next].isSpace { next += 1 } }
    line += bytes[position..<next].count { $0 == 10 }
    isAtLineStart = bytes[next - 1] == 10
    position = next
    while position + 1 < bytes.count {
      guard bytes[position] == UInt8(ascii: "{"), bytes[position + 1] == UInt8(ascii: "%") else {
        position += 1
        continue
      }
      var after = position + 2
      let sign = after < bytes.count && "+-".utf8.contains(bytes[after]) ? bytes[after] : nil
      if sign != nil { after += 1 }
      if word("endraw", at: &after), isEnd(UInt8(ascii: "%"), at: after) {
        addText(next..<position, sign: sign, isVariable: false)
        position = after
        close(UInt8(ascii: "%"))
        return true
      }
      position += 1
    }
    throw TemplateFault("a block '{% raw %}' has no end '{% endraw %}'")
  }

  /// Passes blanks, a word and blanks.
  private func word(_ word: StaticString, at next: inout Int) -> Bool {
    var i = next
    while i < bytes.count, bytes[i].isSpace { i += 1 }
    let end = i + word.utf8CodeUnitCount
    guard end <= bytes.count,
      (i..<end).allSatisfy({ bytes[$0] == word.utf8Start[$0 - i] }),
      end == bytes.count || !bytes[end].isNamePart
    else { return false }
    i = end
    while i < bytes.count, bytes[i].isSpace { i += 1 }
    next = i
    return true
  }

  /// Whether a tag of this kind ends here, with or without a sign.
  func isEnd(_ kind: UInt8, at place: Int? = nil) -> Bool {
    var i = place ?? position
    guard i < bytes.count else { return false }
    let sign = bytes[i]
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") && kind != UInt8(ascii: "}") {
      i += 1
    }
    return i + 1 < bytes.count && bytes[i] == kind && bytes[i + 1] == UInt8(ascii: "}")
  }

  /// Skips the end of a tag and the white space it removes.
  mutating func close(_ kind: UInt8) {
    let sign = bytes[position] == kind ? nil : bytes[position]
    position += sign == nil ? 2 : 3
    let start = position
    if sign == UInt8(ascii: "-") {
      position = bytes.endOfSpace(from: position)
    } else if sign == nil, kind != UInt8(ascii: "}"), position < bytes.count, bytes[position] == 10
    {
      position += 1
    }
    line += bytes[start..<position].count { $0 == 10 }
    isAtLineStart = bytes[position - 1] == 10
  }
}

extension UInt8 {
  /// White space of ASCII.
  var isSpace: Bool { self == 32 || (9...13).contains(self) || (28...31).contains(self) }
  /// White space that `lstrip_blocks` removes within a line.
  var isBlank: Bool { isSpace && self != 10 }
  var isNamePart: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

/// A piece of a template.
struct TemplateToken {
  enum Kind: Equatable {
    case text(String)
    case blockStart, blockEnd, variableStart, variableEnd
    case name(String)
    case string(String)
    case integer(Int)
    case float(Double)
    case symbol(String)
    case end
  }
  let kind: Kind
  let line: Int
}

extension TemplateToken.Kind {
  /// The token as an error text says it.
  var words: String {
    switch self {
    case .text: "text"
    case .blockStart: "'{%'"
    case .blockEnd: "'%}'"
    case .variableStart: "'{{'"
    case .variableEnd: "'}}'"
    case .name(let name): "'\(name)'"
    case .string: "a string"
    case .integer(let value): "'\(value)'"
    case .float(let value): "'\(value)'"
    case .symbol(let symbol): "'\(symbol)'"
    case .end: "the end of the template"
    }
  }
}
