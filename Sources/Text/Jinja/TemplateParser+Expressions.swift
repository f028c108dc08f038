// Expressions, from the weakest binding to the strongest: conditional, or, and, not, comparison,
// + and -, ~, * / // %, **, sign, then subscripts, calls, filters and tests.

extension TemplateParser {
  private static let comparisons: Set = ["==", "!=", "<", "<=", ">", ">="]

  /// An expression, or several with commas between, which make a tuple.
  mutating func tuple(
    conditionals: Bool = true, ends: [String] = [], inParentheses: Bool = false
  ) throws -> TemplateExpression {
    var items: [TemplateExpression] = []
    var isTuple = false
    repeat {
      if isTupleEnd(ends) { break }
      items.append(try conditionals ? expression() : or())
      if current == .symbol(",") { isTuple = true }
    } while skip(",")
    if isTuple || items.isEmpty && inParentheses { return .tuple(items) }
    guard let only = items.first else {
      throw TemplateFault("expected an expression, found \(current.words)")
    }
    return only
  }

  private func isTupleEnd(_ ends: [String]) -> Bool {
    switch current {
    case .variableEnd, .blockEnd, .symbol(")"): true
    case .name(let name): ends.contains(name)
    default: false
    }
  }

  mutating func expression() throws -> TemplateExpression {
    try nested { parser in
      var result = try parser.or()
      while parser.skip(.name("if")) {
        let test = try parser.or()
        let otherwise = try parser.skip(.name("else")) ? parser.expression() : nil
        result = .conditional(result, test: test, otherwise: otherwise)
      }
      return result
    }
  }

  mutating func or() throws -> TemplateExpression {
    try chain({ try $0.and() }) { $0.skip(.name("or")) ? { .or($0, $1) } : nil }
  }

  private mutating func and() throws -> TemplateExpression {
    try chain({ try $0.not() }) { $0.skip(.name("and")) ? { .and($0, $1) } : nil }
  }

  private mutating func not() throws -> TemplateExpression {
    guard skip(.name("not")) else { return try comparison() }
    return .not(try nested { try $0.not() })
  }

  private mutating func comparison() throws -> TemplateExpression {
    let first = try sum()
    var others: [(operation: String, other: TemplateExpression)] = []
    while true {
      if case .symbol(let symbol) = current, Self.comparisons.contains(symbol) {
        advance()
        others.append((symbol, try sum()))
      } else if skip(.name("in")) {
        others.append(("in", try sum()))
      } else if current == .name("not"), ahead() == .name("in") {
        advance()
        advance()
        others.append(("not in", try sum()))
      } else {
        return others.isEmpty ? first : .compare(first, others)
      }
    }
  }

  private mutating func sum() throws -> TemplateExpression {
    try chain({ try $0.concatenation() }) { $0.arithmetic(["+", "-"]) }
  }

  private mutating func concatenation() throws -> TemplateExpression {
    var parts = [try product()]
    while skip("~") { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : .concatenation(parts)
  }

  private mutating func product() throws -> TemplateExpression {
    try chain({ try $0.power() }) { $0.arithmetic(["*", "/", "//", "%"]) }
  }

  private mutating func power() throws -> TemplateExpression {
    try chain({ try $0.unary() }) { $0.arithmetic(["**"]) }
  }

  private typealias Combination = (TemplateExpression, TemplateExpression) -> TemplateExpression

  private mutating func arithmetic(_ symbols: [String]) -> Combination? {
    guard case .symbol(let symbol) = current, symbols.contains(symbol) else { return nil }
    advance()
    return { .arithmetic(symbol, $0, $1) }
  }

  /// Operands with operators between, which associate to the left. Their number is bounded because
  /// the tree is as deep as the chain.
  private mutating func chain(
    _ operand: (inout TemplateParser) throws -> TemplateExpression,
    _ operation: (inout TemplateParser) -> Combination?
  ) throws -> TemplateExpression {
    var result = try operand(&self)
    var length = 0
    while let combine = operation(&self) {
      length += 1
      guard length <= TemplateLimits.chain else {
        throw TemplateFault("an expression has more than \(TemplateLimits.chain) operands")
      }
      result = combine(result, try operand(&self))
    }
    return result
  }

  /// A sign binds more weakly than subscripts and more strongly than filters.
  private mutating func unary(filters: Bool = true) throws -> TemplateExpression {
    var result: TemplateExpression
    if skip("-") {
      result = .negative(try nested { try $0.unary(filters: false) })
    } else if skip("+") {
      result = .positive(try nested { try $0.unary(filters: false) })
    } else {
      result = try nested { try $0.primary() }
    }
    result = try postfix(result)
    return filters ? try filtered(result) : result
  }

  private mutating func filtered(_ value: TemplateExpression) throws -> TemplateExpression {
    var result = value
    var length = 0
    while true {
      if skip("|") {
        result = .filter(result, try filter())
      } else if skip(.name("is")) {
        let negated = skip(.name("not"))
        let test = TemplateExpression.test(result, try test())
        result = negated ? .not(test) : test
      } else if current == .symbol("(") {
        result = .call(result, try arguments())
      } else {
        return result
      }
      length += 1
      guard length <= TemplateLimits.chain else {
        throw TemplateFault("an expression has more than \(TemplateLimits.chain) filters")
      }
    }
  }

  /// A filter's name and arguments, after the `|`.
  mutating func filter() throws -> TemplateFilter {
    var name = try expectName()
    while skip(".") { name += "." + (try expectName()) }
    let arguments = current == .symbol("(") ? try arguments() : TemplateArguments()
    return TemplateFilter(name: name, arguments: arguments)
  }

  /// A test's name and arguments, after `is`; one argument may stand without parentheses.
  private mutating func test() throws -> TemplateFilter {
    let name = try expectName()
    if current == .symbol("(") { return TemplateFilter(name: name, arguments: try arguments()) }
    var arguments = TemplateArguments()
    switch current {
    case .name("else"), .name("or"), .name("and"): break
    case .name("is"): throw TemplateFault("several tests need parentheses: (a is b) is c")
    case .name, .string, .integer, .float, .symbol("["), .symbol("{"):
      let argument = try nested { try $0.primary() }
      arguments.positional = [try postfix(argument)]
    default: break
    }
    return TemplateFilter(name: name, arguments: arguments)
  }
}
