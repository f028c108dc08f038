// The tokens between `{{` and `}}` or `{%` and `%}`.

extension TemplateLexer {
  private static let symbols = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
  ].map { Array($0.utf8) }

  /// Tokens up to the end of the tag, which is passed.
  mutating func expression(closing kind: UInt8) throws {
    var open: [UInt8] = []
    while position < bytes.count {
      if open.isEmpty, isEnd(kind) { return close(kind) }
      let byte = bytes[position]
      switch byte {
      case _ where byte.isSpace:
        if byte == 10 { line += 1 }
        position += 1
      case UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
      case _ where byte.isNamePart: name()
      case UInt8(ascii: "'"), UInt8(ascii: "\""): try string(quote: byte)
      default: try symbol(&open)
      }
    }
    throw TemplateFault("a tag has no end '\(kind == UInt8(ascii: "%") ? "%}" : "}}")'")
  }

  private mutating func name() {
    let start = position
    while position < bytes.count, bytes[position].isNamePart { position += 1 }
    add(.name(String(decoding: bytes[start..<position], as: UTF8.self)))
  }

  private mutating func number() throws {
    let start = position
    var isFloat = false
    func isDigit(_ i: Int) -> Bool {
      i < bytes.count && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[i])
    }
    func digits() {
      while isDigit(position)
        || position < bytes.count && bytes[position] == UInt8(ascii: "_") && isDigit(position + 1)
      { position += 1 }
    }
    digits()
    let isAfterDot = start > 0 && bytes[start - 1] == UInt8(ascii: ".")
    if !isAfterDot {
      if position < bytes.count, bytes[position] == UInt8(ascii: "."), isDigit(position + 1) {
        isFloat = true
        position += 1
        digits()
      }
      if position < bytes.count, bytes[position] | 32 == UInt8(ascii: "e") {
        let signed = position + 1 < bytes.count && "+-".utf8.contains(bytes[position + 1])
        if isDigit(position + (signed ? 2 : 1)) {
          isFloat = true
          position += signed ? 2 : 1
          digits()
        }
      }
    }
    let text = String(
      decoding: bytes[start..<position].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    if isFloat, let value = Double(text) {
      add(.float(value))
    } else if let value = Int(text) {
      guard text == "0" || !text.hasPrefix("0") else {
        throw TemplateFault("the number '\(text)' begins with 0")
      }
      add(.integer(value))
    } else {
      throw TemplateFault("the number '\(text)' is too large")
    }
  }

  private mutating func symbol(_ open: inout [UInt8]) throws {
    let rest = bytes[position...]
    guard let symbol = Self.symbols.first(where: { rest.starts(with: $0) }) else {
      let character = String(decoding: rest.prefix(4), as: UTF8.self).first ?? "?"
      throw TemplateFault("unexpected character '\(character)'")
    }
    switch symbol[0] {
    case UInt8(ascii: "("): open.append(UInt8(ascii: ")"))
    case UInt8(ascii: "["): open.append(UInt8(ascii: "]"))
    case UInt8(ascii: "{"): open.append(UInt8(ascii: "}"))
    case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      guard open.popLast() == symbol[0] else {
        throw TemplateFault("unexpected '\(String(decoding: symbol, as: UTF8.self))'")
      }
    default: break
    }
    add(.symbol(String(decoding: symbol, as: UTF8.self)))
    position += symbol.count
  }

  private mutating func string(quote: UInt8) throws {
    position += 1
    let startLine = line
    var text: [UInt8] = []
    while position < bytes.count, bytes[position] != quote {
      if bytes[position] == 10 { line += 1 }
      if bytes[position] == UInt8(ascii: "\\") {
        position += 1
        try escape(&text)
      } else {
        text.append(bytes[position])
        position += 1
      }
    }
    guard position < bytes.count else { throw TemplateFault("a string has no closing quote") }
    position += 1
    tokens.append(
      TemplateToken(kind: .string(String(decoding: text, as: UTF8.self)), line: startLine))
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: "\\"): 92,
    UInt8(ascii: "'"): 39, UInt8(ascii: "\""): 34, UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8,
    UInt8(ascii: "f"): 12, UInt8(ascii: "v"): 11,
  ]

  /// Python's escapes, after the backslash; unknown ones are kept.
  private mutating func escape(_ text: inout [UInt8]) throws {
    guard position < bytes.count else { throw TemplateFault("a string has no closing quote") }
    let byte = bytes[position]
    position += 1
    if let plain = Self.escapes[byte] { return text.append(plain) }
    switch byte {
    case 10: line += 1
    case UInt8(ascii: "x"): text += try scalar(digits: 2, radix: 16)
    case UInt8(ascii: "u"): text += try scalar(digits: 4, radix: 16)
    case UInt8(ascii: "U"): text += try scalar(digits: 8, radix: 16)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      position -= 1
      let count = bytes[position...].prefix(3).prefix {
        (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0)
      }.count
      text += try scalar(digits: count, radix: 8)
    case UInt8(ascii: "N"): throw TemplateFault("the escape '\\N' is not supported")
    default: text += [UInt8(ascii: "\\"), byte]
    }
  }

  private mutating func scalar(digits: Int, radix: Int) throws -> String.UTF8View {
    let code = String(decoding: bytes[position...].prefix(digits), as: UTF8.self)
    guard code.utf8.count == digits, code.utf8.allSatisfy(\.isNamePart),
      let value = UInt32(code, radix: radix),
      let scalar = Unicode.Scalar(value)
    else { throw TemplateFault("the escape of '\(code)' names no character") }
    position += digits
    return String(scalar).utf8
  }
}
