// Python's operators on values of templates.

import Glibc

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
      return .string(text.repeated(count))
    case .markup(let text):
      try charge(text.utf8.count)
      return .markup(text.repeated(count))
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

// Python's equality, order and `in`.

extension TemplateValue {
  /// Whether a comparison holds.
  func compares(
    _ operation: String, _ other: TemplateValue, _ evaluator: TemplateEvaluator
  ) throws -> Bool {
    let run = evaluator.run
    switch operation {
    case "==": return try equals(other, run)
    case "!=": return try !equals(other, run)
    case "in": return try other.contains(self, evaluator)
    case "not in": return try !other.contains(self, evaluator)
    case "<": return try precedes(other, "<", run)
    case ">": return try other.precedes(self, ">", run)
    // Neither NaN nor anything else is both; Python's `<=` is false for NaN.
    case "<=": return try isOrdered(other) && !other.precedes(self, "<=", run)
    default: return try isOrdered(other) && !precedes(other, ">=", run)
    }
  }

  private func isOrdered(_ other: TemplateValue) -> Bool {
    !(number?.isNaN ?? false) && !(other.number?.isNaN ?? false)
  }

  /// Whether two values are the same: numbers by value, texts by their bytes, lists by elements.
  func equals(_ other: TemplateValue, _ run: TemplateRun) throws -> Bool {
    try run.charge()
    switch (self, other) {
    case (.none, .none), (.undefined, .undefined): return true
    case (.string(let a), .string(let b)), (.string(let a), .markup(let b)),
      (.markup(let a), .string(let b)), (.markup(let a), .markup(let b)):
      guard a.utf8.count == b.utf8.count else { return false }
      try run.charge(bytes: a.utf8.count)
      return a.utf8.elementsEqual(b.utf8)
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      return try a.items.count == b.items.count
        && zip(a.items, b.items).allSatisfy { try $0.equals($1, run) }
    case (.dictionary(let a), .dictionary(let b)):
      return try a.keys.count == b.keys.count
        && a.pairs.allSatisfy { key, value in
          try b[TemplateKey(key)].map { try value.equals($0, run) } ?? false
        }
    case (.view(let a), .view(let b)):
      guard a.type == b.type, a.type != "dict_values" else { return false }
      return try a.list.items.count == b.list.items.count
        && a.list.items.allSatisfy { item in
          try b.list.items.contains { try $0.equals(item, run) }
        }
    case (.namespace(let a), .namespace(let b)): return a === b
    case (.loop(let a), .loop(let b)): return a === b
    case (.macro(let a), .macro(let b)): return a === b
    case (.iterator(let a), .iterator(let b)): return a === b
    case (.function(let a), .function(let b)): return a == b
    default:
      if let a = index, let b = other.index { return a == b }
      guard let a = number, let b = other.number else { return false }
      return a == b
    }
  }

  /// Whether a value comes before another; throws where Python has no order.
  func precedes(_ other: TemplateValue, _ symbol: String, _ run: TemplateRun) throws -> Bool {
    try run.charge()
    switch (self, other) {
    case (.string(let a), .string(let b)), (.string(let a), .markup(let b)),
      (.markup(let a), .string(let b)), (.markup(let a), .markup(let b)):
      try run.charge(bytes: min(a.utf8.count, b.utf8.count))
      return a.utf8.lexicographicallyPrecedes(b.utf8)
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      for (x, y) in zip(a.items, b.items) where try !x.equals(y, run) {
        return try x.precedes(y, symbol, run)
      }
      return a.items.count < b.items.count
    default: break
    }
    if let a = index, let b = other.index { return a < b }
    guard let a = number, let b = other.number else {
      for case .undefined(let what) in [self, other] { throw TemplateFault("\(what) is undefined") }
      throw TemplateFault("'\(symbol)' is not defined between \(typeName) and \(other.typeName)")
    }
    return a < b
  }

  /// Whether a list has an element, a dictionary a key, a text a part.
  func contains(_ value: TemplateValue, _ evaluator: TemplateEvaluator) throws -> Bool {
    switch self {
    case .string(let text), .markup(let text):
      guard let part = value.string else {
        throw TemplateFault("'in' needs a text to look for in a text, got \(value.typeName)")
      }
      try evaluator.run.charge(bytes: text.utf8.count)
      return !Array(text.utf8).ranges(of: Array(part.utf8), atMost: 1).isEmpty || part.isEmpty
    case .dictionary(let dictionary): return try dictionary[evaluator.key(value)] != nil
    case .list(let list), .tuple(let list):
      return try list.items.contains { try $0.equals(value, evaluator.run) }
    case .view(let view):
      return try view.list.items.contains { try $0.equals(value, evaluator.run) }
    case .iterator, .undefined:
      return try evaluator.elements(of: self).contains { try $0.equals(value, evaluator.run) }
    default: throw TemplateFault("'in' is not defined for a \(typeName)")
    }
  }
}

/// x to the power of y.
func raised(_ x: Double, to y: Double) -> Double { pow(x, y) }

extension [UInt8] {
  /// Non-overlapping occurrences of a non-empty part, in linear time (Knuth, Morris, Pratt).
  func ranges(of part: [UInt8], atMost limit: Int = .max) -> [Range<Int>] {
    guard !part.isEmpty, part.count <= count, limit > 0 else { return [] }
    let borders = part.borders
    var result: [Range<Int>] = []
    var matched = 0
    for (position, byte) in enumerated() {
      while matched > 0, part[matched] != byte { matched = borders[matched - 1] }
      if part[matched] == byte { matched += 1 }
      guard matched == part.count else { continue }
      result.append(position + 1 - matched..<position + 1)
      if result.count == limit { break }
      matched = 0
    }
    return result
  }

  /// For each beginning, the length of the longest shorter beginning that is also its end.
  private var borders: [Int] {
    var result = [Int](repeating: 0, count: count)
    var length = 0
    for position in indices.dropFirst() {
      while length > 0, self[length] != self[position] { length = result[length - 1] }
      if self[length] == self[position] { length += 1 }
      result[position] = length
    }
    return result
  }
}
