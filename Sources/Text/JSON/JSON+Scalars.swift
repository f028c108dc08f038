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
