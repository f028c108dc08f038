// The operator `%` on a text: Python's printf-style formatting.

import Core

extension TemplateEvaluator {
  /// `text % values`.
  func percent(_ format: TemplateValue, _ values: TemplateValue) throws -> TemplateValue {
    guard let text = format.string else { return format }
    var filler = TemplatePercent(values, isMarkup: format.isMarkup, run: run)
    let result = try filler.fill(text)
    return format.isMarkup ? .markup(result) : .string(result)
  }
}

private struct TemplatePercent {
  let isMarkup: Bool
  let run: TemplateRun
  private var dictionary: TemplateDictionary?
  private var values: [TemplateValue]
  private var next = 0
  /// A single non-tuple value may stay unused if it has named elements.
  private let mayIgnore: Bool

  init(_ values: TemplateValue, isMarkup: Bool, run: TemplateRun) {
    (self.isMarkup, self.run) = (isMarkup, run)
    if case .tuple(let list) = values { self.values = list.items } else { self.values = [values] }
    switch values {
    case .dictionary(let dictionary):
      self.dictionary = dictionary
      mayIgnore = true
    case .list, .view: mayIgnore = true
    default: mayIgnore = false
    }
  }

  private mutating func take() throws -> TemplateValue {
    guard next < values.count else { throw TemplateFault("'%': not enough values for the text") }
    next += 1
    return values[next - 1]
  }

  mutating func fill(_ text: String) throws -> String {
    var result = String.UnicodeScalarView()
    var rest = Array(text.unicodeScalars)[...]
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        result.append(scalar)
        continue
      }
      let piece = try field(&rest)
      try run.charge(bytes: piece.utf8.count)
      result.append(contentsOf: piece.unicodeScalars)
    }
    guard next == values.count || mayIgnore else {
      throw TemplateFault("'%': more values than the text has places for")
    }
    return String(result)
  }

  private mutating func field(_ rest: inout ArraySlice<Unicode.Scalar>) throws -> String {
    var named: TemplateValue?
    if rest.first == "(" {
      let name = rest.dropFirst().prefix { $0 != ")" }
      guard let dictionary, name.endIndex < rest.endIndex else {
        throw TemplateFault("'%': a dict expected for '%(name)'")
      }
      let key = String(String.UnicodeScalarView(name))
      guard let value = dictionary[key] else { throw TemplateFault("'%': no value '\(key)'") }
      named = value
      rest = rest[(name.endIndex + 1)...]
    }
    var format = TemplateFormat()
    var isLeft = false
    var isZero = false
    while let flag = rest.first, "#0- +".unicodeScalars.contains(flag) {
      rest.removeFirst()
      switch flag {
      case "#": format.isAlternate = true
      case "0": isZero = true
      case "-": isLeft = true
      case "+": format.sign = "+"
      default: if format.sign != "+" { format.sign = " " }
      }
    }
    if let width = try number(&rest) {
      format.width = width < 0 ? -width : width
      isLeft = isLeft || width < 0
    }
    if rest.first == "." {
      rest.removeFirst()
      format.precision = max(0, try number(&rest) ?? 0)
    }
    while let size = rest.first, "hlL".unicodeScalars.contains(size) { rest.removeFirst() }
    guard let type = rest.popFirst() else { throw TemplateFault("'%': the text ends in a format") }
    if type == "%" { return "%" }
    format.align = isLeft ? "<" : ">"
    let value = try named ?? take()
    return try shown(value, format, type, isZero: isZero && !isLeft)
  }

  private mutating func number(_ rest: inout ArraySlice<Unicode.Scalar>) throws -> Int? {
    if rest.first == "*" {
      rest.removeFirst()
      guard case .integer(let number) = try take(), number.magnitude <= TemplateFormat.limit else {
        throw TemplateFault("'%': '*' wants an integer up to \(TemplateFormat.limit)")
      }
      return number
    }
    let digits = rest.prefix { ("0"..."9").contains($0) }
    guard !digits.isEmpty else { return nil }
    rest = rest[digits.endIndex...]
    guard let number = Int(String(String.UnicodeScalarView(digits))),
      number <= TemplateFormat.limit
    else { throw TemplateFault("'%': a width is larger than \(TemplateFormat.limit)") }
    return number
  }

  private func shown(
    _ value: TemplateValue, _ given: TemplateFormat, _ type: Unicode.Scalar, isZero: Bool
  ) throws -> String {
    var format = given
    try run.charge(bytes: 64 + format.width + (format.precision ?? 0))
    switch type {
    case "s", "r", "a":
      var text = type == "s" ? try value.text(run) : try value.representation(run)
      if type == "a" { text = text.asciiEscaped }
      if isMarkup, !(type == "s" && value.isMarkup) { text = try escaped(text, run) }
      (format.sign, format.isAlternate) = ("-", false)
      return try format.format(text: text)
    case "c": return try character(value, format)
    case "d", "i", "u", "o", "x", "X": return try integer(value, format, type, isZero: isZero)
    case "e", "E", "f", "F", "g", "G":
      guard let number = value.number else { throw unfit(value, type) }
      format.type = type
      if isZero, number.isFinite { (format.fill, format.align) = ("0", "=") }
      return try format.format(float: number)
    default: throw TemplateFault("'%': unknown format '%\(type)'")
    }
  }

  private func unfit(_ value: TemplateValue, _ type: Unicode.Scalar) -> TemplateFault {
    TemplateFault("'%\(type)' wants a number, got \(value.typeName)")
  }

  private func character(_ value: TemplateValue, _ given: TemplateFormat) throws -> String {
    var format = given
    (format.sign, format.isAlternate, format.precision) = ("-", false, nil)
    if let text = value.string, text.unicodeScalars.count == 1 {
      return try format.format(text: text)
    }
    guard let code = value.index, let scalar = UInt32(exactly: code).flatMap(Unicode.Scalar.init)
    else { throw unfit(value, "c") }
    return try format.format(text: String(scalar))
  }

  private func integer(
    _ value: TemplateValue, _ given: TemplateFormat, _ type: Unicode.Scalar, isZero: Bool
  ) throws -> String {
    var format = given
    var number = value.index
    if number == nil, "diu".unicodeScalars.contains(type), case .float(let float) = value {
      number = Int(exactly: float.rounded(.towardZero))
    }
    guard let number else { throw unfit(value, type) }
    format.type = "diu".unicodeScalars.contains(type) ? "d" : type
    let digits = format.precision ?? 0
    format.precision = nil
    if isZero { (format.fill, format.align) = ("0", "=") }
    guard digits > 0 else { return try format.format(integer: number) }
    // The precision of an integer is its least number of digits.
    var inner = format
    (inner.width, inner.fill, inner.align) = (
      digits + (number < 0 || format.sign != "-" ? 1 : 0), "0", "="
    )
    let text = try inner.format(integer: number)
    return format.padded(text, by: ">")
  }
}
