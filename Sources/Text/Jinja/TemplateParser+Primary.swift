// Literals, names, subscripts and calls.

extension TemplateParser {
  /// A name or a literal.
  mutating func primary() throws -> TemplateExpression {
    let token = current
    switch token {
    case .name(let name):
      advance()
      if ["varargs", "kwargs", "caller"].contains(name) { mentions.insert(name) }
      return Self.constant(name).map { .constant($0) } ?? .name(name)
    case .string(var text):
      advance()
      while case .string(let more) = current {
        text += more
        advance()
      }
      return .constant(.string(text))
    case .integer(let value):
      advance()
      return .constant(.integer(value))
    case .float(let value):
      advance()
      return .constant(.float(value))
    case .symbol("("):
      advance()
      let value = try tuple(inParentheses: true)
      try expect(")")
      return value
    case .symbol("["): return .list(try list())
    case .symbol("{"): return .dictionary(try dictionary())
    default: throw TemplateFault("expected an expression, found \(token.words)")
    }
  }

  private static func constant(_ name: String) -> TemplateValue? {
    switch name {
    case "true", "True": .boolean(true)
    case "false", "False": .boolean(false)
    case "none", "None": TemplateValue.none
    default: nil
    }
  }

  private mutating func list() throws -> [TemplateExpression] {
    try expect("[")
    var items: [TemplateExpression] = []
    while !skip("]") {
      if !items.isEmpty {
        try expect(",")
        if skip("]") { break }
      }
      items.append(try expression())
    }
    return items
  }

  private mutating func dictionary() throws -> [(
    key: TemplateExpression, value: TemplateExpression
  )] {
    try expect("{")
    var items: [(key: TemplateExpression, value: TemplateExpression)] = []
    while !skip("}") {
      if !items.isEmpty {
        try expect(",")
        if skip("}") { break }
      }
      let key = try expression()
      try expect(":")
      items.append((key, try expression()))
    }
    return items
  }

  /// Subscripts, attributes and calls behind a value.
  mutating func postfix(_ value: TemplateExpression) throws -> TemplateExpression {
    var result = value
    var length = 0
    while true {
      switch current {
      case .symbol("."):
        advance()
        result = try attribute(of: result)
      case .symbol("["):
        advance()
        result = try item(of: result)
        try expect("]")
      case .symbol("("): result = .call(result, try arguments())
      default: return result
      }
      length += 1
      guard length <= TemplateLimits.chain else {
        throw TemplateFault("an expression has more than \(TemplateLimits.chain) subscripts")
      }
    }
  }

  private mutating func attribute(of value: TemplateExpression) throws -> TemplateExpression {
    if case .integer(let index) = current {
      advance()
      return .item(value, .constant(.integer(index)))
    }
    return .attribute(value, try expectName())
  }

  private mutating func item(of value: TemplateExpression) throws -> TemplateExpression {
    let start = current == .symbol(":") ? nil : try expression()
    guard skip(":") else {
      guard let start, current != .symbol(",") else {
        throw TemplateFault("several subscripts in one pair of brackets are not supported")
      }
      return .item(value, start)
    }
    func isOpen(_ parser: TemplateParser) -> Bool {
      parser.current != .symbol(":") && parser.current != .symbol("]")
    }
    let stop = isOpen(self) ? try expression() : nil
    var step: TemplateExpression?
    if skip(":"), isOpen(self) { step = try expression() }
    return .slice(value, start: start, stop: stop, step: step)
  }

  /// The arguments of a call, parentheses included.
  mutating func arguments() throws -> TemplateArguments {
    try expect("(")
    var result = TemplateArguments()
    var isFirst = true
    while !skip(")") {
      if !isFirst {
        try expect(",")
        if skip(")") { break }
      }
      isFirst = false
      if case .name(let name) = current, ahead() == .symbol("=") {
        advance()
        advance()
        result.named.append((name, try expression()))
        continue
      }
      if skip("**") {
        guard result.namedRest == nil else { throw TemplateFault("'**' stands twice in a call") }
        result.namedRest = try expression()
        continue
      }
      guard result.namedRest == nil else {
        throw TemplateFault("an argument without a name follows '**'")
      }
      guard result.named.isEmpty || current == .symbol("*"), result.rest == nil else {
        throw TemplateFault("an argument without a name follows one with a name or '*'")
      }
      if skip("*") {
        result.rest = try expression()
        continue
      }
      result.positional.append(try expression())
    }
    return result
  }
}
