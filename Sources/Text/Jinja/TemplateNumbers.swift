// Reading numbers from texts as Python's `int` and `float` do, and rounding.

extension TemplateEvaluator {
  /// The filter `round`: to a number of digits, to the nearest (halves to even), up or down.
  func rounded(_ value: TemplateValue, _ call: TemplateCall) throws -> TemplateValue {
    let digits = try call.integer(0, default: 0)
    let method = try call.string(1) ?? "common"
    guard ["common", "ceil", "floor"].contains(method) else {
      throw TemplateFault("round: 'method' must be common, ceil or floor, got '\(method)'")
    }
    guard let number = value.number else {
      throw TemplateFault("round: a number expected, got \(value.typeName)")
    }
    guard (-300...300).contains(digits) else {
      throw TemplateFault("round: a precision between -300 and 300 expected, got \(digits)")
    }
    guard method == "common" else {
      let scale = raised(10, to: Double(digits))
      let product = number * scale
      guard product.isFinite else { throw TemplateFault("round: \(number) cannot be rounded") }
      return .float(product.rounded(method == "ceil" ? .up : .down) / scale)
    }
    if let whole = value.index { return .integer(try rounded(whole, digits)) }
    guard digits != 0 || call[0] != nil || number.isFinite else {
      throw TemplateFault("round: \(number) cannot be rounded")
    }
    return .float(rounded(number, digits))
  }

  private func rounded(_ number: Double, _ digits: Int) -> Double {
    guard number.isFinite else { return number }
    if digits >= 0 {
      // Rounds the exact decimal digits of a float; beyond 17 there is nothing to round.
      var format = TemplateFormat()
      (format.type, format.precision) = ("f", min(digits, 330))
      return (try? format.format(float: number)).flatMap { Double($0) } ?? number
    }
    let scale = raised(10, to: Double(-digits))
    return (number / scale).rounded(.toNearestOrEven) * scale
  }

  private func rounded(_ number: Int, _ digits: Int) throws -> Int {
    guard digits < 0 else { return number }
    guard digits > -19 else { return 0 }
    let scale = (0..<(-digits)).reduce(1) { value, _ in value * 10 }
    let (quotient, rest) = number.quotientAndRemainder(dividingBy: scale)
    let twice = 2 * rest.magnitude
    let isAway = twice > scale.magnitude || twice == scale.magnitude && quotient % 2 != 0
    let nearest = isAway ? quotient + number.signum() : quotient
    let (result, overflow) = nearest.multipliedReportingOverflow(by: scale)
    guard !overflow else { throw TemplateFault("an integer is beyond 64 bits") }
    return result
  }
}

/// What Python's `float` reads: digits with single underscores between them, an exponent, `inf` and
/// `nan`; nil for anything else.
func pythonFloat(_ text: String) -> Double? {
  let text = stripped(text, nil)
  switch text.asName.lowercased() {
  case "inf", "+inf", "infinity", "+infinity": return .infinity
  case "-inf", "-infinity": return -.infinity
  case "nan", "+nan", "-nan": return .nan
  default: break
  }
  guard text.utf8.allSatisfy({ (48...57).contains($0) || "+-._eE".utf8.contains($0) }) else {
    return nil
  }
  return withoutMarks(text).flatMap { Double($0) }
}

/// What Python's `int` reads of a text; nil for anything else.
func pythonInteger(_ text: String, base: Int) -> Int? {
  guard text.utf8.allSatisfy({ $0 < 128 }), let digits = withoutMarks(text.lowercased()) else {
    return nil
  }
  let sign = digits.hasPrefix("-") || digits.hasPrefix("+") ? String(digits.prefix(1)) : ""
  var rest = digits.dropFirst(sign.count)
  let prefixes = ["0b": 2, "0o": 8, "0x": 16]
  var base = base
  if let named = prefixes[String(rest.prefix(2))], base == named || base == 0 {
    base = named
    rest = rest.dropFirst(2)
  } else if base == 0 {
    base = 10
  }
  guard (2...36).contains(base), let first = rest.first, first != "+", first != "-" else {
    return nil
  }
  return Int(sign + rest, radix: base)
}

/// Digits without the single underscores between them; nil if one is elsewhere.
private func withoutMarks(_ text: String) -> String? {
  guard text.contains("_") else { return text }
  let parts = text.split(separator: "_", omittingEmptySubsequences: false)
  let isWord = { (character: Character?) in character?.isHexDigit ?? false }
  for (left, right) in zip(parts, parts.dropFirst()) {
    guard isWord(left.last), isWord(right.first) else { return nil }
  }
  return parts.joined()
}
