// Makes text from a model, data set or file safe to print on a terminal.
//
// Control characters can move the cursor, rename the window or rewrite earlier lines; bidirectional
// marks can disguise a text. They are shown as Lua escapes: \x1B, \u{202E}. All of the program's
// own terminal output goes through here; `print` in a script writes texts unchanged.

/// Text with control characters escaped.
///
/// - Parameter keepsLines: whether to keep line breaks and tabs.
public func visible(_ text: String, keepsLines: Bool = true) -> String {
  guard text.unicodeScalars.contains(where: { $0.mustBeShown(keepsLines: keepsLines) }) else {
    return text
  }
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    if scalar.mustBeShown(keepsLines: keepsLines) {
      result.append(contentsOf: scalar.escape.unicodeScalars)
    } else {
      result.append(scalar)
    }
  }
  return String(result)
}

/// The same for bytes; invalid UTF-8 is escaped.
public func visible(_ bytes: [UInt8], keepsLines: Bool = true) -> String {
  if let text = String(validating: bytes, as: UTF8.self) {
    return visible(text, keepsLines: keepsLines)
  }
  var result = ""
  var parser = Unicode.UTF8.ForwardParser()
  var (iterator, position) = (bytes.makeIterator(), 0)
  while true {
    switch parser.parseScalar(from: &iterator) {
    case .valid(let encoded):
      result += visible(String(UTF8.decode(encoded)), keepsLines: keepsLines)
      position += encoded.count
    case .error(let length):
      for byte in bytes[position..<position + length] { result += "\\x" + hexadecimal(byte) }
      position += length
    case .emptyInput: return result
    }
  }
}

extension Unicode.Scalar {
  /// Whether a terminal would do anything but show the character.
  func mustBeShown(keepsLines: Bool) -> Bool {
    switch value {
    case 0x20..<0x7F: false
    case 0x09, 0x0A: !keepsLines
    case 0..<0x20, 0x7F..<0xA0: true
    // Marks, embeddings, overrides and isolates of direction; separators of lines; annotations.
    case 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x206F, 0xFFF9...0xFFFB: true
    // Tags, which show nothing and can spell anything.
    case 0xE0000...0xE007F: true
    default: false
    }
  }

  /// The character as a Lua escape.
  var escape: String {
    switch self {
    case "\n": "\\n"
    case "\t": "\\t"
    case "\r": "\\r"
    case _ where value < 0x80: "\\x" + hexadecimal(UInt8(value))
    default: "\\u{" + String(value, radix: 16, uppercase: true) + "}"
    }
  }
}

private func hexadecimal(_ byte: UInt8) -> String {
  (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
}
