// Python's format specifications, as `str.format` and the operator `%` use them.

import Glibc

/// How one value is written: `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
struct TemplateFormat {
  var fill: Unicode.Scalar = " "
  var align: Unicode.Scalar?
  var sign: Unicode.Scalar = "-"
  var isAlternate = false
  var width = 0
  var grouping: Unicode.Scalar?
  var precision: Int?
  var type: Unicode.Scalar?
  /// Whether the alignment comes from a `0` before the width, which texts ignore.
  private var isAlignImplied = false

  /// Widths and precisions beyond this are refused.
  static let limit = 100_000

  init() {}

  /// Reads a specification; throws on what Python does not know.
  init(_ text: String) throws {
    var rest = Array(text.unicodeScalars)[...]
    func isAlign(_ scalar: Unicode.Scalar?) -> Bool {
      scalar.map { "<>=^".unicodeScalars.contains($0) } ?? false
    }
    var hasFill = false
    if isAlign(rest.dropFirst().first) {
      (fill, align) = (rest.removeFirst(), rest.removeFirst())
      hasFill = true
    } else if isAlign(rest.first) {
      align = rest.removeFirst()
    }
    if let first = rest.first, "+- ".unicodeScalars.contains(first) { sign = rest.removeFirst() }
    if rest.first == "#" {
      isAlternate = true
      rest.removeFirst()
    }
    if rest.first == "0" {
      rest.removeFirst()
      if !hasFill { fill = "0" }
      if align == nil { (align, isAlignImplied) = ("=", true) }
    }
    width = try Self.number(&rest) ?? 0
    if let first = rest.first, ",_".unicodeScalars.contains(first) { grouping = rest.removeFirst() }
    if rest.first == "." {
      rest.removeFirst()
      guard let digits = try Self.number(&rest) else {
        throw TemplateFault("format: the precision is missing in '\(text)'")
      }
      precision = digits
    }
    type = rest.popFirst()
    guard rest.isEmpty else { throw TemplateFault("format: '\(text)' is no format specification") }
  }

  private static func number(_ rest: inout ArraySlice<Unicode.Scalar>) throws -> Int? {
    var value: Int?
    while let digit = rest.first, ("0"..."9").contains(digit) {
      rest.removeFirst()
      value = (value ?? 0) * 10 + Int(digit.value - 48)
      guard value! <= limit else {
        throw TemplateFault("format: a width or precision is larger than \(limit)")
      }
    }
    return value
  }

  /// The text of a value, as Python's `format` gives it.
  func format(_ value: TemplateValue, _ run: TemplateRun) throws -> String {
    try run.charge(bytes: 64 + width + (precision ?? 0))
    switch value {
    case .string(let text), .markup(let text): return try format(text: text)
    case .float(let number): return try format(float: number)
    case .integer, .boolean: return try format(integer: value.index ?? 0)
    default: throw TemplateFault("format: a \(value.typeName) takes no format specification")
    }
  }

  private func unknown(_ kind: String) -> TemplateFault {
    TemplateFault("format: unknown or unfit code '\(type.map { String($0) } ?? "")' for a \(kind)")
  }

  func format(text: String) throws -> String {
    guard type == nil || type == "s", align != "=" || isAlignImplied, sign == "-", !isAlternate,
      grouping == nil
    else { throw unknown("str") }
    var format = self
    if align == "=" { format.align = "<" }
    guard let precision else { return format.padded(text, by: "<") }
    return format.padded(
      String(String.UnicodeScalarView(text.unicodeScalars.prefix(precision))), by: "<")
  }

  func format(integer value: Int) throws -> String {
    var radix = 10
    var prefix = ""
    switch type {
    case nil, "d", "n": break
    case "b": (radix, prefix) = (2, "0b")
    case "o": (radix, prefix) = (8, "0o")
    case "x": (radix, prefix) = (16, "0x")
    case "X": (radix, prefix) = (16, "0X")
    case "c":
      guard sign == "-", let scalar = UInt32(exactly: value).flatMap(Unicode.Scalar.init),
        precision == nil, grouping == nil
      else { throw unknown("int") }
      return padded(String(scalar), by: ">")
    case "e", "E", "f", "F", "g", "G", "%": return try format(float: Double(value))
    default: throw unknown("int")
    }
    guard precision == nil, grouping != "," || radix == 10, type != "n" || grouping == nil else {
      throw unknown("int")
    }
    let digits = String(value.magnitude, radix: radix, uppercase: type == "X")
    return padded(
      number: digits, isNegative: value < 0, prefix: isAlternate ? prefix : "",
      size: radix == 10 ? 3 : 4)
  }

  func format(float value: Double) throws -> String {
    var digits: String
    let isUpper = type.map { "EFG".unicodeScalars.contains($0) } ?? false
    if !value.isFinite {
      digits = value.isNaN ? "nan" : "inf"
      if isUpper { digits = digits.uppercased() }
      if type == "%" { digits += "%" }
    } else {
      switch type {
      case nil: digits = plain(value.magnitude)
      case "e", "E", "f", "F", "g", "G": digits = printed(value.magnitude, type!)
      case "n": digits = printed(value.magnitude, "g")
      case "%": digits = printed(value.magnitude * 100, "f") + "%"
      default: throw unknown("float")
      }
    }
    return padded(number: digits, isNegative: value.sign == .minus && !value.isNaN, size: 3)
  }

  /// Without a type a float has a digit behind its point.
  private func plain(_ value: Double) -> String {
    guard let precision else { return pythonDigits(value) }
    let digits = max(1, precision)
    let scientific = printf(value, "%.\(digits - 1)e")
    let exponent = scientific.split(separator: "e").last.flatMap { Int($0) } ?? 0
    if exponent < -4 || exponent >= digits - 1 {
      let parts = scientific.split(separator: "e")
      var mantissa = String(parts[0])
      if mantissa.contains(".") {
        while mantissa.last == "0" { mantissa.removeLast() }
        if mantissa.last == "." { mantissa.removeLast() }
      }
      return mantissa + "e" + parts[1]
    }
    let general = printf(value, "%.\(digits)g")
    return general.contains(".") || general.contains("e") ? general : general + ".0"
  }

  private func printed(_ value: Double, _ type: Unicode.Scalar) -> String {
    printf(value, "%\(isAlternate ? "#" : "").\(precision ?? 6)\(type)")
  }

  private func printf(_ value: Double, _ format: String) -> String {
    withVaList([value]) { list in
      var buffer = [CChar](repeating: 0, count: 512 + (precision ?? 6))
      let length = vsnprintf(&buffer, buffer.count, format, list)
      return String(
        decoding: buffer[..<max(0, Int(length))].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  private func padded(
    number digits: String, isNegative: Bool, prefix: String = "", size: Int
  ) -> String {
    let mark = isNegative ? "-" : sign == "-" ? "" : String(sign)
    var whole = digits.prefix { $0.isHexDigit || $0 == "n" || $0 == "i" }
    if size == 3 { whole = digits.prefix { ("0"..."9").contains($0) } }
    let rest = digits[whole.endIndex...]
    var body = String(whole)
    if let grouping, !whole.isEmpty {
      let room = align == "=" && fill == "0" ? width - mark.count - prefix.count - rest.count : 0
      body = grouped(whole, by: size, with: grouping, atLeast: room)
    }
    let lead = mark + prefix
    guard align == "=" else { return padded(lead + body + rest, by: ">") }
    let missing = max(0, width - lead.count - body.count - rest.count)
    return lead + String(repeating: String(fill), count: missing) + body + rest
  }

  /// Groups digits from the right, including leading zeros.
  private func grouped(
    _ digits: Substring, by size: Int, with mark: Unicode.Scalar, atLeast room: Int
  ) -> String {
    var reversed: [Character] = []
    var count = 0
    var rest = Array(digits)
    while !rest.isEmpty || reversed.count < room {
      if count > 0, count % size == 0 { reversed.append(Character(mark)) }
      reversed.append(rest.popLast() ?? "0")
      count += 1
    }
    return String(reversed.reversed())
  }

  /// The text with the fill character up to the width.
  func padded(_ text: String, by side: Unicode.Scalar) -> String {
    let missing = width - text.unicodeScalars.count
    guard missing > 0 else { return text }
    let fill = { (count: Int) in String(repeating: String(self.fill), count: count) }
    switch align ?? side {
    case "<": return text + fill(missing)
    case "^": return fill(missing / 2) + text + fill(missing - missing / 2)
    default: return fill(missing) + text
    }
  }
}
