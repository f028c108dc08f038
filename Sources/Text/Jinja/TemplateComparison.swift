// Python's equality, order and `in`.

import Glibc

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
  /// Where a part that is not empty occurs, from left to right without overlap, in time in proportion
  /// to the text whatever the part is (Knuth, Morris, Pratt).
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
