// Values as text: what `{{ }}` prints (Python's str) and how they look within a list (repr).

import Core

extension TemplateValue {
  /// The value as it is printed.
  func text(_ run: TemplateRun) throws -> String {
    switch self {
    case .undefined: return ""
    case .string(let text), .markup(let text):
      try run.charge(bytes: text.utf8.count)
      return text
    default:
      var writer = TemplateWriter(run: run)
      try writer.write(self)
      return writer.text
    }
  }
}

extension TemplateValue {
  /// The value as it looks within a list: Python's repr.
  func representation(_ run: TemplateRun) throws -> String {
    var writer = TemplateWriter(run: run)
    try writer.write(self)
    return writer.text
  }

  /// The value, marked `safe` where the one that it was made of is: texts, and texts in a list.
  func marked(as origin: TemplateValue) throws -> TemplateValue {
    guard origin.isMarkup else { return self }
    switch self {
    case .string(let text): return .markup(text)
    case .list(let list): return try .list(of: list.items.map { try $0.marked(as: origin) })
    case .tuple(let list):
      return .tuple(try TemplateList(list.items.map { try $0.marked(as: origin) }))
    default: return self
    }
  }
}

private struct TemplateWriter {
  let run: TemplateRun
  var text = ""
  var depth = 0

  mutating func write(_ value: TemplateValue) throws {
    switch value {
    case .undefined: text += "Undefined"
    case .none: text += "None"
    case .boolean(let value): text += value ? "True" : "False"
    case .integer(let value): text += String(value)
    case .float(let value): text += pythonDigits(value)
    case .string(let string):
      try run.charge(bytes: string.utf8.count)
      text += quoted(string)
    case .markup(let string):
      try run.charge(bytes: string.utf8.count)
      text += "Markup(" + quoted(string) + ")"
    case .view(let view):
      if let range = view.text {
        text += range
      } else {
        try write(view.list.items, view.type + "([", "])")
      }
    case .list(let list): try write(list.items, "[", "]")
    case .tuple(let list): try write(list.items, "(", list.items.count == 1 ? ",)" : ")")
    case .dictionary(let dictionary): try write(dictionary)
    case .namespace(let namespace):
      text += "<Namespace "
      try write(namespace.attributes)
      text += ">"
    default: throw TemplateFault("a \(value.typeName) cannot be printed")
    }
    try run.charge(bytes: 16)
  }

  private mutating func write(_ items: [TemplateValue], _ open: String, _ close: String) throws {
    try nested { writer in
      writer.text += open
      for (position, item) in items.enumerated() {
        if position > 0 { writer.text += ", " }
        try writer.write(item)
      }
      writer.text += close
    }
  }

  private mutating func write(_ dictionary: TemplateDictionary) throws {
    try nested { writer in
      writer.text += "{"
      for (position, pair) in dictionary.pairs.enumerated() {
        if position > 0 { writer.text += ", " }
        try writer.write(pair.key)
        writer.text += ": "
        try writer.write(pair.value)
      }
      writer.text += "}"
    }
  }

  /// A namespace may hold itself.
  private mutating func nested(_ body: (inout TemplateWriter) throws -> Void) throws {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 2 * TemplateLimits.nesting else {
      throw TemplateFault("a value is nested too deeply to be printed")
    }
    try body(&self)
  }

  /// Python's repr of a text: single quotes unless it holds one and no double quote.
  private func quoted(_ string: String) -> String {
    let usesDouble = string.utf8.contains(39) && !string.utf8.contains(34)
    let quote: Unicode.Scalar = usesDouble ? "\"" : "'"
    var result = String(quote)
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case quote: result += "\\" + String(quote)
      default:
        if scalar.isPrintable {
          result.unicodeScalars.append(scalar)
        } else {
          result += scalar.pythonEscape
        }
      }
    }
    result.unicodeScalars.append(quote)
    return result
  }
}

extension Unicode.Scalar {
  /// Python's `str.isprintable`.
  var isPrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: self == " "
    default: true
    }
  }

  var pythonEscape: String {
    if value < 0x100 { return "\\x" + value.hexadecimal(2) }
    return value < 0x10000 ? "\\u" + value.hexadecimal(4) : "\\U" + value.hexadecimal(8)
  }
}

/// A float as Python prints it: the shortest digits that read back the same, with an exponent below
/// 1e-4 and from 1e16.
func pythonDigits(_ value: Double) -> String {
  if value.isNaN { return "nan" }
  if value.isInfinite { return value < 0 ? "-inf" : "inf" }
  if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
  let parts = value.magnitude.description.split(separator: "e")
  let mantissa = parts[0].split(separator: ".")
  let whole = String(mantissa[0])
  let fraction = mantissa.count > 1 && mantissa[1] != "0" ? String(mantissa[1]) : ""
  var digits = String((whole + fraction).drop { $0 == "0" })
  // The decimal point stands behind this many digits.
  let lost = (whole + fraction).count - digits.count
  let point = whole.count - lost + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
  while digits.count > 1, digits.last == "0" { digits.removeLast() }
  let sign = value < 0 ? "-" : ""
  let exponent = point - 1
  if exponent < -4 || exponent >= 16 {
    let rest = digits.dropFirst()
    let size = String(exponent.magnitude)
    return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest) + "e"
      + (exponent < 0 ? "-" : "+") + (size.count < 2 ? "0" : "") + size
  }
  if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
  if digits.count <= point {
    return sign + digits + String(repeating: "0", count: point - digits.count) + ".0"
  }
  return sign + digits.prefix(point) + "." + digits.dropFirst(point)
}
