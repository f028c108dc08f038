// Runs the statements of a template.

import Core

/// Evaluates a template once.
struct TemplateEvaluator {
  /// The result of a statement.
  enum Flow { case normal, breakLoop, continueLoop }

  let source: String
  let run: TemplateRun
  /// What `strftime_now` calls now, in seconds since 1970.
  let now: Int

  /// The text of a template with these variables.
  static func render(
    _ statements: [TemplateStatement], named source: String,
    variables: [(name: String, value: TemplateValue)], now: Int
  ) throws -> String {
    let evaluator = TemplateEvaluator(source: source, run: TemplateRun(), now: now)
    let scope = TemplateScope(nil)
    for variable in variables where !variable.name.asName.isEmpty {
      scope.variables[variable.name] = variable.value
    }
    defer { evaluator.run.finish() }
    var output = ""
    _ = try evaluator.execute(statements, scope, &output)
    return output
  }

  /// Runs statements one after the other; an error gets the line of the innermost.
  func execute(
    _ statements: [TemplateStatement], _ scope: TemplateScope, _ output: inout String
  ) throws -> Flow {
    for statement in statements {
      do {
        try run.charge()
        let flow = try execute(statement.kind, scope, &output)
        if flow != .normal { return flow }
      } catch let fault as TemplateFault {
        throw TemplateError(source: source, line: statement.line, reason: fault.description)
      }
    }
    return .normal
  }

  private func execute(
    _ kind: TemplateStatement.Kind, _ scope: TemplateScope, _ output: inout String
  ) throws -> Flow {
    switch kind {
    case .text(let text): try append(text, to: &output)
    case .output(let expression):
      try append(evaluate(expression, scope).text(run), to: &output)
    case .conditional(let branches, let otherwise):
      let branch = try branches.first { try evaluate($0.test, scope).isTrue }
      return try run.nested { try execute(branch?.body ?? otherwise, scope, &output) }
    case .loop(let loop): return try run.nested { try execute(loop, scope, &output) }
    case .assign(let target, let expression):
      try assign(evaluate(expression, scope), to: target, scope)
    case .assignBlock(let target, let filters, let body):
      try assign(block(body, filters, scope), to: target, scope)
    case .macro(let definition):
      try run.register(scope)
      scope.variables[definition.name] = .macro(TemplateMacro(definition, in: scope))
    case .with(let pairs, let body):
      let inner = TemplateScope(scope)
      for pair in pairs { try assign(evaluate(pair.value, scope), to: pair.target, inner) }
      return try run.nested { try execute(body, inner, &output) }
    case .callBlock(let definition, let call):
      try append(callBlock(definition, call, scope), to: &output)
    case .generation(let body): try append(block(body, [], scope).text(run), to: &output)
    case .filter(let filters, let body):
      let value = try block(body, filters, scope)
      guard let text = value.string else {
        throw TemplateFault("a filter block must give a text, got \(value.typeName)")
      }
      try append(text, to: &output)
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .normal
  }

  private func append(_ text: String, to output: inout String) throws {
    try run.charge(bytes: text.utf8.count)
    output += text
  }

  /// Renders statements in a new scope, through filters.
  private func block(
    _ body: [TemplateStatement], _ filters: [TemplateFilter], _ scope: TemplateScope
  ) throws -> TemplateValue {
    let inner = TemplateScope(scope)
    let text = try run.nested {
      var text = ""
      _ = try execute(body, inner, &text)
      return text
    }
    return try filters.reduce(.string(text)) { try filter($0, $1, inner) }
  }

  private func execute(
    _ loop: TemplateForLoop, _ scope: TemplateScope, _ output: inout String
  ) throws -> Flow {
    try execute(loop, over: evaluate(loop.iterable, scope), level: 0, scope, &output)
  }

  /// Runs a loop over its own value, or that of a call of `loop`.
  func execute(
    _ loop: TemplateForLoop, over iterable: TemplateValue, level: Int, _ scope: TemplateScope,
    _ output: inout String
  ) throws -> Flow {
    var items = try elements(of: iterable)
    if let test = loop.test {
      items = try items.filter { item in
        let inner = TemplateScope(scope)
        try assign(item, to: loop.target, inner)
        return try evaluate(test, inner).isTrue
      }
    }
    let state = try TemplateLoop(
      TemplateList(items), level: level, recursion: loop.isRecursive ? (loop, scope) : nil)
    for (index, item) in items.enumerated() {
      try run.charge()
      state.index = index
      let inner = TemplateScope(scope)
      inner.variables["loop"] = .loop(state)
      try assign(item, to: loop.target, inner)
      let flow = try execute(loop.body, inner, &output)
      if flow == .breakLoop { break }
    }
    if items.isEmpty { return try execute(loop.otherwise, TemplateScope(scope), &output) }
    return .normal
  }

  private func assign(
    _ value: TemplateValue, to target: TemplateTarget, _ scope: TemplateScope
  ) throws {
    switch target {
    case .name(let name): scope.variables[name] = value
    case .attribute(let name, let attribute):
      guard case .namespace(let namespace)? = scope[name] else {
        throw TemplateFault("'\(name)' is no namespace, so '\(name).\(attribute)' cannot be set")
      }
      try namespace.attributes.set(attribute, value)
    case .tuple(let targets):
      let items = try elements(of: value)
      guard items.count == targets.count else {
        throw TemplateFault("\(items.count) values cannot be assigned to \(targets.count) names")
      }
      for (item, target) in zip(items, targets) { try assign(item, to: target, scope) }
    }
  }

  /// What a loop iterates over: elements, keys or characters.
  func elements(of value: TemplateValue) throws -> [TemplateValue] {
    let items: [TemplateValue]
    switch value {
    case .undefined: items = []
    case .list(let list), .tuple(let list): items = list.items
    case .view(let view): items = view.list.items
    case .dictionary(let dictionary): items = dictionary.keys
    case .string(let text), .markup(let text):
      try run.charge(elements: text.utf8.count)
      return text.unicodeScalars.map { .string(String($0)) }
    case .iterator(let iterator): items = iterator.takeAll()
    default: throw TemplateFault("a \(value.typeName) cannot be iterated over")
    }
    try run.charge(elements: items.count)
    return items
  }
}

/// The arguments of a call of a filter, test, method or macro.
struct TemplateCall {
  let name: String
  var positional: [TemplateValue]
  var named: [(name: String, value: TemplateValue)]
  let run: TemplateRun

  /// Binds arguments to parameters; throws on unknown, missing and extra ones.
  mutating func bind(_ parameters: String...) throws {
    guard positional.count <= parameters.count else {
      throw TemplateFault(
        "\(name): at most \(parameters.count) arguments expected, got \(positional.count)")
    }
    for argument in named {
      guard let place = parameters.firstIndex(of: argument.name) else {
        throw TemplateFault("\(name): unknown argument '\(argument.name)'")
      }
      guard place >= positional.count else {
        throw TemplateFault("\(name): argument '\(argument.name)' is given twice")
      }
    }
    let given = Dictionary(named.map { ($0.name, $0.value) }) { _, last in last }
    values = parameters.enumerated().map { position, name in
      position < positional.count ? positional[position] : given[name]
    }
    names = parameters
  }

  private var values: [TemplateValue?] = []
  private var names: [String] = []

  init(
    _ name: String, _ positional: [TemplateValue],
    _ named: [(name: String, value: TemplateValue)], _ run: TemplateRun
  ) {
    (self.name, self.positional, self.named, self.run) = (name, positional, named, run)
  }

  /// A bound argument; nil if omitted.
  subscript(position: Int) -> TemplateValue? { values[position] }

  /// A required argument.
  func required(_ position: Int) throws -> TemplateValue {
    guard let value = values[position] else {
      throw TemplateFault("\(name): argument '\(names[position])' is missing")
    }
    return value
  }

  /// A bound text; nil if omitted or None.
  func string(_ position: Int) throws -> String? {
    switch values[position] {
    case nil, .some(.none): return nil
    case .string(let text), .markup(let text): return text
    case let other?:
      throw TemplateFault("\(name): '\(names[position])' must be a text, got \(other.typeName)")
    }
  }

  /// A required text.
  func requiredString(_ position: Int) throws -> String {
    guard let text = try string(position) else {
      throw TemplateFault("\(name): a text expected for '\(names[position])'")
    }
    return text
  }

  /// A bound integer, or the default.
  func integer(_ position: Int, default other: Int) throws -> Int {
    guard let value = values[position] else { return other }
    guard let number = value.index else {
      throw TemplateFault(
        "\(name): '\(names[position])' must be an integer, got \(value.typeName)")
    }
    return number
  }

  /// A bound truth value, or the default.
  func boolean(_ position: Int, default other: Bool) -> Bool {
    values[position]?.isTrue ?? other
  }
}
