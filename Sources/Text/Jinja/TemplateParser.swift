// Parses tags to statements with Jinja's grammar. Refused by name: inheritance and inclusion, `do`,
// `autoescape` and translations.

/// Reads the tokens of a template.
struct TemplateParser {
  private let tokens: [TemplateToken]
  private var next = 0
  private var depth = 0
  private var loopDepth = 0
  /// Which of the names that a macro need not declare were read so far.
  var mentions: Set<String> = []

  /// Parses a template; throws a `TemplateError` with its line.
  static func parse(_ source: String, named name: String) throws -> [TemplateStatement] {
    guard source.utf8.count <= 1 << 22 else {
      throw TemplateError(source: name, line: 1, reason: "the template is larger than 4 MB")
    }
    var lexer = TemplateLexer(source)
    do { try lexer.tokenize() } catch let fault as TemplateFault {
      throw TemplateError(source: name, line: lexer.line, reason: fault.description)
    }
    var parser = TemplateParser(lexer.tokens)
    do {
      let statements = try parser.statements(until: [])
      return statements
    } catch let fault as TemplateFault {
      throw TemplateError(source: name, line: parser.line, reason: fault.description)
    }
  }

  private init(_ tokens: [TemplateToken]) { self.tokens = tokens }

  var line: Int { tokens[next].line }
  var current: TemplateToken.Kind { tokens[next].kind }

  func ahead() -> TemplateToken.Kind { tokens[min(next + 1, tokens.count - 1)].kind }

  mutating func advance() { next = min(next + 1, tokens.count - 1) }

  /// Skips a token if present.
  mutating func skip(_ kind: TemplateToken.Kind) -> Bool {
    guard current == kind else { return false }
    advance()
    return true
  }

  mutating func skip(_ symbol: String) -> Bool { skip(.symbol(symbol)) }

  mutating func expect(_ kind: TemplateToken.Kind) throws {
    guard skip(kind) else { throw TemplateFault("expected \(kind.words), found \(current.words)") }
  }

  mutating func expect(_ symbol: String) throws { try expect(.symbol(symbol)) }

  mutating func expectName() throws -> String {
    guard case .name(let name) = current else {
      throw TemplateFault("expected a name, found \(current.words)")
    }
    advance()
    return name
  }

  /// Bounds the nesting of tags and expressions, which are read and run recursively.
  mutating func nested<Output>(
    _ body: (inout TemplateParser) throws -> Output
  ) throws -> Output {
    depth += 1
    defer { depth -= 1 }
    guard depth <= TemplateLimits.nesting else {
      throw TemplateFault("it is nested deeper than \(TemplateLimits.nesting) levels")
    }
    return try body(&self)
  }

  // MARK: Statements

  /// Statements up to a tag of one of these names, whose name is the current token then.
  private mutating func statements(until ends: [String]) throws -> [TemplateStatement] {
    var result: [TemplateStatement] = []
    while true {
      let line = line
      switch current {
      case .end:
        guard ends.isEmpty else {
          throw TemplateFault("the template ends where a '\(ends[ends.count - 1])' is expected")
        }
        return result
      case .text(let text):
        advance()
        result.append(TemplateStatement(line: line, kind: .text(text)))
      case .variableStart:
        advance()
        let value = try tuple()
        try expect(.variableEnd)
        result.append(TemplateStatement(line: line, kind: .output(value)))
      default:
        try expect(.blockStart)
        if case .name(let name) = current, ends.contains(name) { return result }
        let kind = try nested { try $0.tag() }
        result.append(TemplateStatement(line: line, kind: kind))
      }
    }
  }

  /// The body of a tag and its end.
  private mutating func body(_ end: String) throws -> [TemplateStatement] {
    try expect(.blockEnd)
    let result = try statements(until: [end])
    advance()
    try expect(.blockEnd)
    return result
  }

  private mutating func tag() throws -> TemplateStatement.Kind {
    let name = try expectName()
    switch name {
    case "if": return try conditional()
    case "for": return try loop()
    case "set": return try assignment()
    case "macro": return try macro()
    case "call": return try callBlock()
    case "with": return try with()
    case "generation": return .generation(try outsideLoops { try $0.body("endgeneration") })
    case "filter":
      let filters = try filterChain()
      return .filter(filters, try body("endfilter"))
    case "break", "continue":
      guard loopDepth > 0 else { throw TemplateFault("'\(name)' stands outside of a loop") }
      try expect(.blockEnd)
      return name == "break" ? .breakLoop : .continueLoop
    default:
      throw TemplateFault(
        "the tag '\(name)' is not supported (supported: if, for, set, macro, call, with, "
          + "generation, filter, break, continue, raw)")
    }
  }

  private mutating func conditional() throws -> TemplateStatement.Kind {
    var branches: [TemplateStatement.Branch] = []
    while true {
      let test = try tuple(conditionals: false)
      try expect(.blockEnd)
      let body = try statements(until: ["elif", "else", "endif"])
      branches.append(TemplateStatement.Branch(test: test, body: body))
      let name = try expectName()
      if name == "elif" { continue }
      guard name == "else" else {
        try expect(.blockEnd)
        return .conditional(branches: branches, otherwise: [])
      }
      return .conditional(branches: branches, otherwise: try self.body("endif"))
    }
  }

  private mutating func loop() throws -> TemplateStatement.Kind {
    let target = try target()
    try expect(.name("in"))
    let iterable = try tuple(conditionals: false, ends: ["recursive"])
    let test = try skip(.name("if")) ? expression() : nil
    let isRecursive = skip(.name("recursive"))
    try expect(.blockEnd)
    loopDepth += 1
    let body = try statements(until: ["endfor", "else"])
    loopDepth -= 1
    var otherwise: [TemplateStatement] = []
    if try expectName() == "else" {
      otherwise = try self.body("endfor")
    } else {
      try expect(.blockEnd)
    }
    return .loop(
      TemplateForLoop(
        target: target, iterable: iterable, test: test, body: body, otherwise: otherwise,
        isRecursive: isRecursive))
  }

  private mutating func assignment() throws -> TemplateStatement.Kind {
    let target = try target(attributes: true)
    if skip("=") {
      let value = try tuple()
      try expect(.blockEnd)
      return .assign(target, value)
    }
    let filters = current == .symbol("|") ? try filterChain(afterPipe: true) : []
    return .assignBlock(target, filters, try body("endset"))
  }

  private mutating func filterChain(afterPipe: Bool = false) throws -> [TemplateFilter] {
    var filters: [TemplateFilter] = []
    if !afterPipe { filters.append(try filter()) }
    while skip("|") { filters.append(try filter()) }
    return filters
  }

  private mutating func macro() throws -> TemplateStatement.Kind {
    .macro(try definition(named: expectName(), end: "endmacro"))
  }

  private mutating func callBlock() throws -> TemplateStatement.Kind {
    // The parameters come before the call, the body after it.
    let outer = mentions
    let parameters = current == .symbol("(") ? try self.parameters() : []
    mentions = []
    let call = try expression()
    guard case .call = call else { throw TemplateFault("a call expected after 'call'") }
    let inCall = mentions
    mentions = []
    let body = try outsideLoops { try $0.body("endcall") }
    let definition = TemplateMacroDefinition(
      name: "caller", parameters: parameters, mentions: mentions, body: body)
    mentions.formUnion(outer.union(inCall))
    return .callBlock(definition, call)
  }

  private mutating func with() throws -> TemplateStatement.Kind {
    var pairs: [(target: TemplateTarget, value: TemplateExpression)] = []
    while current != .blockEnd {
      if !pairs.isEmpty { try expect(",") }
      let target = try singleTarget(false)
      try expect("=")
      pairs.append((target, try expression()))
    }
    return .with(pairs, try body("endwith"))
  }

  private mutating func definition(
    named name: String, end: String
  ) throws -> TemplateMacroDefinition {
    let outer = mentions
    mentions = []
    let parameters = try parameters()
    let body = try outsideLoops { try $0.body(end) }
    defer { mentions.formUnion(outer) }
    return TemplateMacroDefinition(
      name: name, parameters: parameters,
      mentions: mentions.subtracting(parameters.map(\.name)), body: body)
  }

  private mutating func parameters() throws -> [TemplateMacroDefinition.Parameter] {
    var parameters: [TemplateMacroDefinition.Parameter] = []
    try expect("(")
    while !skip(")") {
      if !parameters.isEmpty { try expect(",") }
      let name = try expectName()
      let fallback = try skip("=") ? expression() : nil
      if fallback == nil, parameters.last?.fallback != nil {
        throw TemplateFault("the parameter '\(name)' without a default follows one with a default")
      }
      parameters.append(TemplateMacroDefinition.Parameter(name: name, fallback: fallback))
    }
    return parameters
  }

  /// A body that `break` cannot leave.
  private mutating func outsideLoops<Output>(
    _ body: (inout TemplateParser) throws -> Output
  ) throws -> Output {
    let outer = loopDepth
    loopDepth = 0
    defer { loopDepth = outer }
    return try body(&self)
  }

  /// A name, a namespace's attribute, or several of them with commas between.
  private mutating func target(attributes: Bool = false) throws -> TemplateTarget {
    var targets = [try singleTarget(attributes)]
    var isTuple = false
    while skip(",") {
      isTuple = true
      switch current {
      case .name(let name) where name != "in": targets.append(try singleTarget(attributes))
      case .symbol("("): targets.append(try singleTarget(attributes))
      default: break
      }
    }
    return isTuple ? .tuple(targets) : targets[0]
  }

  private mutating func singleTarget(_ attributes: Bool) throws -> TemplateTarget {
    if skip("(") {
      let inner = try nested { try $0.target(attributes: attributes) }
      try expect(")")
      return inner
    }
    let name = try expectName()
    guard !["true", "false", "none", "True", "False", "None", "loop"].contains(name) else {
      throw TemplateFault("'\(name)' cannot be assigned to")
    }
    if attributes, skip(".") { return .attribute(namespace: name, try expectName()) }
    return .name(name)
  }
}
