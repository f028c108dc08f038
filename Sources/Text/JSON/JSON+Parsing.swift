// The JSON reader (RFC 8259), one pass over UTF-8 bytes. We do not use Foundation's, which confuses
// 1, 1.0 and true on Linux and takes over a second for a vocabulary of 7 MB. Refused: NaN and
// Infinity, numbers beyond the range of a double, lone surrogates, invalid UTF-8, nesting deeper
// than 512 or than the caller allows.

import Core

extension JSON {
  /// Reads a file that holds one JSON value; the error names file, line and column.
  public static func read(_ path: String, deepest: Int = 512) throws -> JSON {
    try InputFile(path).withBytes { try parse($0, file: path, deepest: deepest) }
  }

  /// Parses a text that holds one JSON value.
  public static func parse(_ text: String, deepest: Int = 512) throws -> JSON {
    var text = text
    return try text.withUTF8 { try parse(UnsafeRawBufferPointer($0), deepest: deepest) }
  }

  /// Parses bytes of `file` that hold one JSON value; a byte order mark is skipped.
  package static func parse(
    _ bytes: UnsafeRawBufferPointer, file: String, deepest: Int = 512
  ) throws -> JSON {
    do { return try parse(bytes, deepest: deepest) } catch let error as JSONError {
      throw FileError(file, error.description)
    }
  }

  static func parse(_ bytes: UnsafeRawBufferPointer, deepest: Int = 512) throws -> JSON {
    var parser = JSONParser(bytes, deepest: deepest)
    do { return try parser.document() } catch let error as JSONError {
      let (line, column) = parser.place()
      throw JSONError("not valid JSON at line \(line), column \(column): \(error)")
    }
  }
}

struct JSONParser {
  let bytes: UnsafeRawBufferPointer
  /// Maximum nesting of objects and lists.
  let deepest: Int
  var position = 0
  var depth = 0
  /// The next position to check for an interrupt.
  private var pause = Interrupt.interval

  init(_ bytes: UnsafeRawBufferPointer, deepest: Int = 512) {
    (self.bytes, self.deepest) = (bytes, deepest)
  }

  mutating func document() throws -> JSON {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    let value = try value()
    skipSpace()
    if position < bytes.count { throw JSONError("text after the end of the value") }
    return value
  }

  /// Line and column, from 1, of the current position; columns count bytes.
  func place() -> (line: Int, column: Int) {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.reduce(1) { $0 + ($1 == 10 ? 1 : 0) }
    let start = before.lastIndex(of: 10).map { $0 + 1 } ?? 0
    return (line, before.count - start + 1)
  }

  @inline(__always) func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func skipSpace() {
    while let byte = peek(), byte == 32 || byte == 10 || byte == 13 || byte == 9 { position += 1 }
  }

  /// Stops when the user asks for it.
  @inline(__always)
  mutating func poll() throws {
    guard position >= pause else { return }
    pause = position + Interrupt.interval
    try Interrupt.check()
  }

  mutating func value() throws -> JSON {
    try poll()
    skipSpace()
    guard let byte = peek() else { throw JSONError("the text ends where a value is expected") }
    switch byte {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return try nested { try $0.object() }
    case UInt8(ascii: "["): return try nested { try $0.array() }
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw JSONError("expected a value, found \(found())")
    }
  }

  /// The character at the current position, for an error text.
  func found() -> String {
    guard position < bytes.count else { return "the end of the text" }
    let character = String(
      decoding: bytes[position..<min(position + 4, bytes.count)], as: UTF8.self)
    return character.first.map { "'\($0)'" } ?? "nothing"
  }

  private mutating func nested(_ body: (inout JSONParser) throws -> JSON) throws -> JSON {
    depth += 1
    defer { depth -= 1 }
    if depth > deepest { throw JSONError("nested deeper than \(deepest) levels") }
    position += 1
    return try body(&self)
  }

  private mutating func object() throws -> JSON {
    var members: [JSON.Member] = []
    skipSpace()
    if peek() == UInt8(ascii: "}") {
      position += 1
      return .object(members)
    }
    while true {
      skipSpace()
      guard peek() == UInt8(ascii: "\"") else {
        throw JSONError("expected a key in double quotes, found \(found())")
      }
      let key = try string()
      skipSpace()
      guard peek() == UInt8(ascii: ":") else { throw JSONError("expected ':', found \(found())") }
      position += 1
      try Memory.checkGrowth(of: members, for: "JSON")
      members.append(JSON.Member(key, try value()))
      if try ends(with: UInt8(ascii: "}")) { return .object(members) }
    }
  }

  private mutating func array() throws -> JSON {
    var elements: [JSON] = []
    skipSpace()
    if peek() == UInt8(ascii: "]") {
      position += 1
      return .array(elements)
    }
    while true {
      try Memory.checkGrowth(of: elements, for: "JSON")
      elements.append(try value())
      if try ends(with: UInt8(ascii: "]")) { return .array(elements) }
    }
  }

  /// Skips a comma (false) or the closing bracket (true).
  private mutating func ends(with close: UInt8) throws -> Bool {
    skipSpace()
    guard let byte = peek(), byte == close || byte == UInt8(ascii: ",") else {
      throw JSONError("expected ',' or '\(Character(UnicodeScalar(close)))', found \(found())")
    }
    position += 1
    return byte == close
  }

  private mutating func word(_ text: StaticString, _ value: JSON) throws -> JSON {
    let length = text.utf8CodeUnitCount
    guard position + length <= bytes.count,
      (0..<length).allSatisfy({ bytes[position + $0] == text.utf8Start[$0] })
    else { throw JSONError("expected '\(text)'") }
    position += length
    return value
  }
}

// Strings and numbers of the JSON reader.

extension JSONParser {
  /// Reads a string in double quotes.
  mutating func string() throws -> String {
    position += 1
    let start = position
    while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 32 {
      position += 1
    }
    if peek() == UInt8(ascii: "\"") {
      defer { position += 1 }
      return try text(bytes[start..<position])
    }
    return try stringWithEscapes(from: start)
  }

  private func text(_ utf8: some Collection<UInt8>) throws -> String {
    guard let text = String(validating: utf8, as: UTF8.self) else {
      throw JSONError("a string is not valid UTF-8")
    }
    return text
  }

  private mutating func stringWithEscapes(from start: Int) throws -> String {
    var result = Array(bytes[start..<position])
    while let byte = peek() {
      try poll()
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return try text(result)
      case UInt8(ascii: "\\"):
        position += 1
        try escape(into: &result)
      case 0..<32:
        throw JSONError("a control character in a string must be written as an escape")
      default:
        result.append(byte)
        position += 1
      }
    }
    throw JSONError("the text ends inside a string")
  }

  private mutating func escape(into result: inout [UInt8]) throws {
    guard let byte = peek() else { throw JSONError("the text ends inside a string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
    case UInt8(ascii: "b"): result.append(8)
    case UInt8(ascii: "f"): result.append(12)
    case UInt8(ascii: "n"): result.append(10)
    case UInt8(ascii: "r"): result.append(13)
    case UInt8(ascii: "t"): result.append(9)
    case UInt8(ascii: "u"): result.append(contentsOf: Character(try scalar()).utf8)
    default:
      position -= 1
      throw JSONError("unknown escape \\\(found().filter { $0 != "'" })")
    }
  }

  /// The scalar of `\u` and its four digits, or of a pair of surrogates.
  private mutating func scalar() throws -> Unicode.Scalar {
    let first = try hexadecimal4()
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    {
      position += 2
      let second = try hexadecimal4()
      guard (0xDC00...0xDFFF).contains(second) else {
        throw JSONError("a lone surrogate escape is not a character")
      }
      let code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
      if let scalar = Unicode.Scalar(code) { return scalar }
    }
    throw JSONError("a lone surrogate escape is not a character")
  }

  private mutating func hexadecimal4() throws -> UInt32 {
    guard position + 4 <= bytes.count else { throw JSONError("the text ends inside a string") }
    var code: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 128 else {
        throw JSONError("\\u needs four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
    }
    position += 4
    return code
  }

  /// Reads a number; without fraction and exponent, and within 64 bits, it is an integer.
  mutating func number() throws -> JSON {
    let start = position
    if peek() == UInt8(ascii: "-") { position += 1 }
    let leading = position
    try digits()
    if bytes[leading] == UInt8(ascii: "0"), position > leading + 1 {
      throw JSONError("a number must not begin with a zero")
    }
    var isInteger = true
    if peek() == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try digits()
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      isInteger = false
      position += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let integer = Int(text) { return .integer(integer) }
    guard let double = Double(text), double.isFinite else {
      throw JSONError("the number \(text) is out of range")
    }
    return .double(double)
  }

  private mutating func digits() throws {
    let start = position
    while let byte = peek(), byte >= 48, byte <= 57 { position += 1 }
    if position == start { throw JSONError("expected a digit, found \(found())") }
  }
}
