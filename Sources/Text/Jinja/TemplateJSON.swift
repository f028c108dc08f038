// The filter `tojson` as transformers defines it: Python's json.dumps, with keys in order,
// non-ASCII characters unescaped by default, and without HTML escaping.

import Core

/// Writes a value as JSON text.
struct TemplateJSONWriter {
  var isASCII = false
  var indent: String?
  var itemSeparator = ", "
  var keySeparator = ": "
  var sortsKeys = false
  let run: TemplateRun
  private var text = ""
  private var depth = 0

  init(run: TemplateRun) { self.run = run }

  /// The JSON text of a value.
  mutating func json(_ value: TemplateValue) throws -> String {
    text = ""
    try write(value)
    return text
  }

  private mutating func write(_ value: TemplateValue) throws {
    try run.charge(bytes: 16)
    switch value {
    case .none: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .float(let value): text += Self.number(value)
    case .string(let string), .markup(let string): try write(string)
    case .list(let list), .tuple(let list):
      try block(list.items, "[", "]") { try $0.write($1) }
    case .dictionary(let dictionary):
      try block(sorted(dictionary), "{", "}") { writer, pair in
        try writer.write(pair.key)
        writer.text += writer.keySeparator
        try writer.write(pair.value)
      }
    default: throw TemplateFault("tojson: a \(value.typeName) cannot be written as JSON")
    }
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    return value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : pythonDigits(value)
  }

  private func sorted(
    _ dictionary: TemplateDictionary
  ) throws -> [(key: String, value: TemplateValue)] {
    let pairs = try dictionary.pairs.map { (key: try Self.key($0.key), value: $0.value) }
    guard sortsKeys else { return pairs }
    return pairs.sorted { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) }
  }

  private static func key(_ value: TemplateValue) throws -> String {
    switch value {
    case .string(let text), .markup(let text): return text
    case .none: return "null"
    case .boolean(let value): return value ? "true" : "false"
    case .integer(let value): return String(value)
    case .float(let value): return number(value)
    default: throw TemplateFault("tojson: a \(value.typeName) cannot be a key")
    }
  }

  private mutating func block<Item>(
    _ items: [Item], _ open: String, _ close: String,
    _ write: (inout TemplateJSONWriter, Item) throws -> Void
  ) throws {
    text += open
    depth += 1
    for (position, item) in items.enumerated() {
      if position > 0 { text += itemSeparator }
      newline()
      try write(&self, item)
    }
    depth -= 1
    if !items.isEmpty { newline() }
    text += close
  }

  private mutating func newline() {
    guard let indent else { return }
    text += "\n"
    for _ in 0..<depth { text += indent }
  }

  private mutating func write(_ string: String) throws {
    try run.charge(bytes: string.utf8.count)
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{8}": text += "\\b"
      case "\u{c}": text += "\\f"
      default:
        if scalar.value < 32 || isASCII && scalar.value > 127 {
          for unit in String(scalar).utf16 { text += "\\u" + UInt32(unit).hexadecimal(4) }
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    text += "\""
  }
}
