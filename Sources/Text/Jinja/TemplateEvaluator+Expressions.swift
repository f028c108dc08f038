// Computes the value of an expression.

extension TemplateEvaluator {
  /// The value of an expression.
  func evaluate(_ expression: TemplateExpression, _ scope: TemplateScope) throws -> TemplateValue {
    try run.charge()
    return try run.nested { try compute(expression, scope) }
  }

  private func compute(
    _ expression: TemplateExpression, _ scope: TemplateScope
  ) throws -> TemplateValue {
    switch expression {
    case .constant(let value): return value
    case .name(let name): return variable(name, scope)
    case .list(let items): return try .list(of: evaluate(items, scope))
    case .tuple(let items): return .tuple(try TemplateList(evaluate(items, scope)))
    case .dictionary(let pairs): return .dictionary(try dictionary(pairs, scope))
    case .attribute(let base, let name): return try attribute(name, of: evaluate(base, scope))
    case .item(let base, let key):
      return try item(evaluate(key, scope), of: evaluate(base, scope))
    case .slice(let base, let start, let stop, let step):
      return try slice(
        evaluate(base, scope), bound(start, scope), bound(stop, scope), bound(step, scope))
    case .call(let function, let arguments): return try call(function, arguments, scope)
    case .filter(let base, let filter): return try self.filter(evaluate(base, scope), filter, scope)
    case .test(let base, let test):
      return .boolean(try self.test(evaluate(base, scope), test, scope))
    default: return try combine(expression, scope)
    }
  }

  private func combine(
    _ expression: TemplateExpression, _ scope: TemplateScope
  ) throws -> TemplateValue {
    switch expression {
    case .not(let operand): return .boolean(try !evaluate(operand, scope).isTrue)
    case .and(let left, let right):
      let value = try evaluate(left, scope)
      return value.isTrue ? try evaluate(right, scope) : value
    case .or(let left, let right):
      let value = try evaluate(left, scope)
      return value.isTrue ? value : try evaluate(right, scope)
    case .negative(let operand): return try evaluate(operand, scope).negated()
    case .positive(let operand):
      return try evaluate(operand, scope).multiplied(by: .integer(1), run)
    case .arithmetic(let symbol, let left, let right):
      return try arithmetic(symbol, evaluate(left, scope), evaluate(right, scope))
    case .compare(let first, let others): return try compare(first, others, scope)
    case .concatenation(let parts):
      return .string(try parts.map { try evaluate($0, scope).text(run) }.joined(run))
    case .conditional(let value, let test, let otherwise):
      if try evaluate(test, scope).isTrue { return try evaluate(value, scope) }
      return try otherwise.map { try evaluate($0, scope) }
        ?? .undefined("the inline if without else")
    default: return .none
    }
  }

  private func variable(_ name: String, _ scope: TemplateScope) -> TemplateValue {
    scope[name] ?? (Self.functions.contains(name) ? .function(name) : .undefined("'\(name)'"))
  }

  private func evaluate(
    _ expressions: [TemplateExpression], _ scope: TemplateScope
  ) throws -> [TemplateValue] {
    try run.charge(elements: expressions.count)
    return try expressions.map { try evaluate($0, scope) }
  }

  private func dictionary(
    _ pairs: [(key: TemplateExpression, value: TemplateExpression)], _ scope: TemplateScope
  ) throws -> TemplateDictionary {
    try run.charge(elements: pairs.count * 2)
    var result = TemplateDictionary()
    for pair in pairs {
      let key = try evaluate(pair.key, scope)
      _ = try self.key(key)
      try result.set(key, evaluate(pair.value, scope))
    }
    return result
  }

  /// The dictionary key of a value; charges the budget for long texts.
  func key(_ value: TemplateValue) throws -> TemplateKey {
    if let text = value.string { try run.charge(bytes: text.utf8.count) }
    if case .tuple(let list) = value { try run.charge(elements: list.items.count) }
    return try TemplateKey(value)
  }

  private func arithmetic(
    _ symbol: String, _ left: TemplateValue, _ right: TemplateValue
  ) throws -> TemplateValue {
    switch symbol {
    case "+": try left.added(to: right, run)
    case "-": try left.subtracting(right)
    case "*": try left.multiplied(by: right, run)
    case "/": try left.divided(by: right)
    case "//": try left.floorDivided(by: right)
    case "%": try left.string == nil ? left.remainder(by: right) : percent(left, right)
    default: try left.power(right)
    }
  }

  /// `a < b < c` holds when every neighbour does; later operands are computed when needed.
  private func compare(
    _ first: TemplateExpression,
    _ others: [(operation: String, other: TemplateExpression)], _ scope: TemplateScope
  ) throws -> TemplateValue {
    var left = try evaluate(first, scope)
    for (operation, other) in others {
      let right = try evaluate(other, scope)
      guard try left.compares(operation, right, self) else { return .boolean(false) }
      left = right
    }
    return .boolean(true)
  }

  // MARK: Parts

  /// `value.name`: a method of the value, or a dictionary entry.
  func attribute(_ name: String, of value: TemplateValue) throws -> TemplateValue {
    switch value {
    case .undefined(let what): throw TemplateFault("\(what) is undefined, so it has no '\(name)'")
    case .namespace(let namespace):
      return namespace.attributes[name] ?? .undefined("the namespace's '\(name)'")
    case .loop(let loop): return try loop.attribute(name)
    default: break
    }
    if name.hasPrefix("_") {
      if case .dictionary(let dictionary) = value, !name.hasPrefix("__"),
        let found = dictionary[name]
      {
        return found
      }
      return .undefined("the attribute '\(name)' is not accessible to templates: it")
    }
    if case .function("dict") = value, name == "fromkeys" {
      return .method(try TemplateMethod(.dictionary(TemplateDictionary()), name))
    }
    if case .tuple(let list) = value, list.isGroup, name == "grouper" || name == "list" {
      return list.items[name == "list" ? 1 : 0]
    }
    if value.methodNames.contains(name) { return .method(try TemplateMethod(value, name)) }
    if case .dictionary(let dictionary) = value, let found = dictionary[name] { return found }
    return .undefined("the \(value.typeName)'s '\(name)'")
  }

  /// `value[key]`: an element; of a name that no element has, the attribute.
  func item(_ key: TemplateValue, of value: TemplateValue) throws -> TemplateValue {
    switch value {
    case .undefined(let what): throw TemplateFault("\(what) is undefined, so it has no elements")
    case .dictionary(let dictionary):
      if let text = key.string { try run.charge(bytes: text.utf8.count) }
      if let key = try? TemplateKey(key), let found = dictionary[key] { return found }
    case .view(let view) where view.type == "range":
      if let index = key.index, let place = view.list.items.place(index) {
        return view.list.items[place]
      }
    case .list(let list), .tuple(let list):
      if let index = key.index, let place = list.items.place(index) { return list.items[place] }
    case .string(let text), .markup(let text):
      if let index = key.index {
        try run.charge(bytes: text.utf8.count)
        let scalars = Array(text.unicodeScalars)
        if let place = scalars.place(index) {
          return try TemplateValue.string(String(scalars[place])).marked(as: value)
        }
      }
    case .namespace(let namespace):
      if let name = key.string { return try attribute(name, of: .namespace(namespace)) }
    default: break
    }
    if let name = key.string { return try attribute(name, of: value) }
    return .undefined("the \(value.typeName)'s element \(try key.text(run))")
  }

  private func bound(_ expression: TemplateExpression?, _ scope: TemplateScope) throws -> Int? {
    guard let expression else { return nil }
    let value = try evaluate(expression, scope)
    if case .none = value { return nil }
    guard let index = value.index else {
      throw TemplateFault("the bounds of a slice must be integers, got \(value.typeName)")
    }
    return index
  }

  private func slice(
    _ value: TemplateValue, _ start: Int?, _ stop: Int?, _ step: Int?
  ) throws -> TemplateValue {
    switch value {
    case .list(let list): return try .list(of: list.items.slice(start, stop, step, run))
    case .view(let view):
      guard let range = view.bounds else { break }
      let items = try view.list.items.slice(start, stop, step, run)
      let (first, end, by) = try view.list.items.sliceBounds(start, stop, step)
      // Cannot overflow: the numbers of a range are materialised.
      return .view(
        try TemplateView(
          start: range.start &+ first &* range.step, stop: range.start &+ end &* range.step,
          step: range.step &* by, items))
    case .tuple(let list):
      return .tuple(try TemplateList(list.items.slice(start, stop, step, run)))
    case .string(let text), .markup(let text):
      try run.charge(bytes: text.utf8.count)
      var result = String.UnicodeScalarView()
      result.append(contentsOf: try Array(text.unicodeScalars).slice(start, stop, step, run))
      return try TemplateValue.string(String(result)).marked(as: value)
    case .undefined(let what): throw TemplateFault("\(what) is undefined and cannot be sliced")
    default: break
    }
    throw TemplateFault("a \(value.typeName) cannot be sliced")
  }
}
