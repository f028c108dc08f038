// Python's operators on values of templates.

extension TemplateValue {
  /// The number that an integer or truth value stands for.
  var index: Int? {
    switch self {
    case .integer(let value): value
    case .boolean(let value): value ? 1 : 0
    default: nil
    }
  }

  /// The number as a float.
  var number: Double? {
    if case .float(let value) = self { value } else { index.map(Double.init) }
  }

  private func unsupported(_ symbol: String, _ other: TemplateValue) -> TemplateFault {
    for case .undefined(let what) in [self, other] { return TemplateFault("\(what) is undefined") }
    return TemplateFault(
      "'\(symbol)' is not defined between \(typeName) and \(other.typeName)")
  }

  private func integers(_ other: TemplateValue) -> (Int, Int)? {
    guard let a = index, let b = other.index else { return nil }
    return (a, b)
  }

  private func floats(_ symbol: String, _ other: TemplateValue) throws -> (Double, Double) {
    guard let a = number, let b = other.number else { throw unsupported(symbol, other) }
    return (a, b)
  }

  private func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> TemplateValue {
    guard !result.overflow else { throw TemplateFault("an integer is beyond 64 bits") }
    return .integer(result.partialValue)
  }

  func negated() throws -> TemplateValue {
    if let value = index { return try checked(0.subtractingReportingOverflow(value)) }
    guard case .float(let value) = self else { throw unsupported("-", .integer(0)) }
    return .float(-value)
  }

  func added(to other: TemplateValue, _ run: TemplateRun) throws -> TemplateValue {
    switch (self, other) {
    case (.string(let a), .string(let b)): return .string(try [a, b].joined(run))
    case (.markup, .string), (.string, .markup), (.markup, .markup):
      return .markup(try [escapedText(run), other.escapedText(run)].joined(run))
    case (.list(let a), .list(let b)):
      try run.charge(elements: a.items.count + b.items.count)
      return try .list(of: a.items + b.items)
    case (.tuple(let a), .tuple(let b)):
      try run.charge(elements: a.items.count + b.items.count)
      return .tuple(try TemplateList(a.items + b.items))
    default: break
    }
    if let (a, b) = integers(other) { return try checked(a.addingReportingOverflow(b)) }
    let (a, b) = try floats("+", other)
    return .float(a + b)
  }

  func subtracting(_ other: TemplateValue) throws -> TemplateValue {
    if let (a, b) = integers(other) { return try checked(a.subtractingReportingOverflow(b)) }
    let (a, b) = try floats("-", other)
    return .float(a - b)
  }

  func multiplied(by other: TemplateValue, _ run: TemplateRun) throws -> TemplateValue {
    if let count = other.index, let repeated = try repeated(count, run) { return repeated }
    if let count = index, let repeated = try other.repeated(count, run) { return repeated }
    if let (a, b) = integers(other) { return try checked(a.multipliedReportingOverflow(by: b)) }
    let (a, b) = try floats("*", other)
    return .float(a * b)
  }

  /// A text or list several times; nil for other values.
  private func repeated(_ count: Int, _ run: TemplateRun) throws -> TemplateValue? {
    let count = Swift.max(0, count)
    func charge(_ size: Int) throws {
      let (total, overflow) = size.multipliedReportingOverflow(by: count)
      try run.charge(bytes: overflow ? TemplateLimits.bytes + 1 : Swift.min(total, 1 << 40))
    }
    switch self {
    case .string(let text):
      try charge(text.utf8.count)
      return .string(text.isEmpty ? "" : String(repeating: text, count: count))
    case .markup(let text):
      try charge(text.utf8.count)
      return .markup(text.isEmpty ? "" : String(repeating: text, count: count))
    case .list(let list):
      try charge(list.items.count * 32)
      return try .list(of: list.items.isEmpty ? [] : (0..<count).flatMap { _ in list.items })
    case .tuple(let list):
      try charge(list.items.count * 32)
      return .tuple(
        try TemplateList(list.items.isEmpty ? [] : (0..<count).flatMap { _ in list.items }))
    default: return nil
    }
  }

  func divided(by other: TemplateValue) throws -> TemplateValue {
    let (a, b) = try floats("/", other)
    guard b != 0 else { throw TemplateFault("division by zero") }
    return .float(a / b)
  }

  func floorDivided(by other: TemplateValue) throws -> TemplateValue {
    let (x, y) = try floats("//", other)
    guard y != 0 else { throw TemplateFault("division by zero") }
    guard let (a, b) = integers(other) else { return .float((x / y).rounded(.down)) }
    let (quotient, overflow) = a.dividedReportingOverflow(by: b)
    let isExact = overflow || a % b == 0
    return try checked((isExact || (a < 0) == (b < 0) ? quotient : quotient - 1, overflow))
  }

  /// What is left has the sign of the divisor, as in Python.
  func remainder(by other: TemplateValue) throws -> TemplateValue {
    let (x, y) = try floats("%", other)
    guard y != 0 else { throw TemplateFault("division by zero") }
    if let (a, b) = integers(other) {
      let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
      return .integer(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest)
    }
    let rest = x.truncatingRemainder(dividingBy: y)
    if rest == 0 { return .float(y < 0 ? -0.0 : 0.0) }
    return .float((rest < 0) != (y < 0) ? rest + y : rest)
  }

  func power(_ other: TemplateValue) throws -> TemplateValue {
    let (x, y) = try floats("**", other)
    guard let (a, b) = integers(other), b >= 0 else {
      guard x != 0 || y >= 0 else {
        throw TemplateFault("zero cannot be raised to a negative power")
      }
      guard x >= 0 || y == y.rounded() else {
        throw TemplateFault("complex numbers are not supported")
      }
      return .float(raised(x, to: y))
    }
    var result = TemplateValue.integer(1)
    if a == 0 || a == 1 || a == -1 {
      return .integer(b == 0 || a == 1 || a == -1 && b % 2 == 0 ? 1 : a)
    }
    guard b < 64 else { throw TemplateFault("an integer is beyond 64 bits") }
    for _ in 0..<b {
      guard case .integer(let value) = result else { break }
      result = try checked(value.multipliedReportingOverflow(by: a))
    }
    return result
  }
}
