// Macros, call blocks and calls of `loop`.

extension TemplateEvaluator {
  /// The text of a macro.
  func call(_ macro: TemplateMacro, _ call: TemplateCall) throws -> TemplateValue {
    let definition = macro.definition
    let scope = TemplateScope(macro.scope)
    for (position, parameter) in definition.parameters.enumerated() {
      if position < call.positional.count {
        scope.variables[parameter.name] = call.positional[position]
      } else if let argument = call.named.last(where: { $0.name == parameter.name }) {
        scope.variables[parameter.name] = argument.value
      } else {
        scope.variables[parameter.name] =
          try parameter.fallback.map { try evaluate($0, scope) }
          ?? .undefined("the parameter '\(parameter.name)'")
      }
    }
    try bindRest(definition, call, scope)
    var text = ""
    _ = try execute(definition.body, scope, &text)
    return .string(text)
  }

  /// What no parameter takes: `varargs`, `kwargs` and `caller`, where the macro names them.
  private func bindRest(
    _ definition: TemplateMacroDefinition, _ call: TemplateCall, _ scope: TemplateScope
  ) throws {
    let parameters = definition.parameters
    let extra = call.positional.dropFirst(parameters.count)
    if definition.mentions.contains("varargs") {
      scope.variables["varargs"] = .tuple(try TemplateList(Array(extra)))
    } else if !extra.isEmpty {
      throw TemplateFault(
        "macro \(definition.name): at most \(parameters.count) arguments expected, got "
          + "\(call.positional.count)")
    }
    if definition.mentions.contains("caller") {
      scope.variables["caller"] = .undefined("'caller' outside of a call block")
    }
    var rest = TemplateDictionary()
    for argument in call.named {
      let place = parameters.firstIndex { $0.name == argument.name }
      if let place, place >= call.positional.count { continue }
      if place == nil, argument.name == "caller", definition.mentions.contains("caller") {
        scope.variables["caller"] = argument.value
      } else if definition.mentions.contains("kwargs") {
        try rest.set(argument.name, argument.value)
      } else {
        throw TemplateFault(
          "macro \(definition.name): argument '\(argument.name)' is unknown or given twice")
      }
    }
    if definition.mentions.contains("kwargs") { scope.variables["kwargs"] = .dictionary(rest) }
  }

  /// The text of `{% call %}`: a call with the block as the argument `caller`.
  func callBlock(
    _ definition: TemplateMacroDefinition, _ call: TemplateExpression, _ scope: TemplateScope
  ) throws -> String {
    guard case .call(let function, let arguments) = call else { return "" }
    try run.register(scope)
    let caller = TemplateValue.macro(TemplateMacro(definition, in: scope))
    var given = arguments
    given.named.append(("caller", .constant(caller)))
    return try run.nested { try self.call(function, given, scope).text(run) }
  }

  /// `loop(children)`: the loop once more, one level deeper.
  func call(_ loop: TemplateLoop, _ call: TemplateCall) throws -> TemplateValue {
    var call = call
    try call.bind("iterable")
    guard let recursion = loop.recursion else {
      throw TemplateFault("'loop' can be called in a loop with 'recursive' only")
    }
    let items = try call.required(0)
    var text = ""
    _ = try run.nested {
      try execute(recursion.loop, over: items, level: loop.level + 1, recursion.scope, &text)
    }
    return .string(text)
  }

  /// `loop.cycle(…)` and `loop.changed(…)`.
  func call(_ name: String, of loop: TemplateLoop, _ call: TemplateCall) throws -> TemplateValue {
    guard call.named.isEmpty else {
      throw TemplateFault("loop.\(name): arguments with names are not expected")
    }
    if name == "changed" {
      let isSame = try loop.last.map { last in
        try last.count == call.positional.count
          && zip(last, call.positional).allSatisfy { try $0.equals($1, run) }
      }
      loop.last = call.positional
      return .boolean(isSame != true)
    }
    guard !call.positional.isEmpty else { throw TemplateFault("loop.cycle: no values") }
    return call.positional[loop.index % call.positional.count]
  }
}

extension TemplateLoop {
  /// `loop.index` and its like.
  func attribute(_ name: String) throws -> TemplateValue {
    func neighbour(_ place: Int) -> TemplateValue {
      items.indices.contains(place) ? items[place] : .undefined("'loop.\(name)' at the loop's edge")
    }
    switch name {
    case "index": return .integer(index + 1)
    case "index0": return .integer(index)
    case "revindex": return .integer(items.count - index)
    case "revindex0": return .integer(items.count - index - 1)
    case "first": return .boolean(index == 0)
    case "last": return .boolean(index == items.count - 1)
    case "length": return .integer(items.count)
    case "previtem": return neighbour(index - 1)
    case "nextitem": return neighbour(index + 1)
    // Only recursive loops get deeper.
    case "depth": return .integer(level + 1)
    case "depth0": return .integer(level)
    case "cycle", "changed": return .method(try TemplateMethod(.loop(self), name))
    default: return .undefined("'loop.\(name)'")
    }
  }
}
