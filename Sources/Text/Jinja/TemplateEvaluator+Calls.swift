// Calls of functions, macros and methods.

import Glibc

extension TemplateEvaluator {
  /// The functions that templates may call.
  static let functions: Set = ["range", "namespace", "dict", "raise_exception", "strftime_now"]

  /// The values of arguments.
  func values(
    _ name: String, _ arguments: TemplateArguments, _ scope: TemplateScope
  ) throws -> TemplateCall {
    var positional = try arguments.positional.map { try evaluate($0, scope) }
    if let rest = arguments.rest { positional += try elements(of: evaluate(rest, scope)) }
    for text in positional.compactMap(\.string) { try run.charge(bytes: text.utf8.count) }
    var named = try arguments.named.map { ($0.name, try evaluate($0.value, scope)) }
    if let rest = arguments.namedRest { named += try self.named(evaluate(rest, scope)) }
    guard Set(named.map(\.0)).count == named.count else {
      throw TemplateFault("\(name): an argument is given twice")
    }
    return TemplateCall(name, positional, named, run)
  }

  /// The arguments that `**` makes of a dictionary.
  private func named(_ value: TemplateValue) throws -> [(String, TemplateValue)] {
    guard case .dictionary(let dictionary) = value else {
      throw TemplateFault("a dict expected after '**', got \(value.typeName)")
    }
    try run.charge(elements: dictionary.keys.count)
    return try dictionary.pairs.map { key, value in
      guard let name = key.string else { throw TemplateFault("texts expected as keys after '**'") }
      guard name.utf8.count <= String.longestName else {
        throw TemplateFault("names of at most \(String.longestName) bytes expected after '**'")
      }
      return (name, value)
    }
  }

  /// Calls what an expression gives.
  func call(
    _ expression: TemplateExpression, _ arguments: TemplateArguments, _ scope: TemplateScope
  ) throws -> TemplateValue {
    switch try evaluate(expression, scope) {
    case .macro(let macro):
      return try call(macro, values(macro.definition.name, arguments, scope))
    case .function(let name): return try call(function: values(name, arguments, scope))
    case .method(let method):
      return try call(method, values(method.name, arguments, scope))
    case .loop(let loop): return try call(loop, values("loop", arguments, scope))
    case .undefined(let what): throw TemplateFault("\(what) is undefined and cannot be called")
    case let other: throw TemplateFault("a \(other.typeName) cannot be called")
    }
  }

  private func call(function call: TemplateCall) throws -> TemplateValue {
    var call = call
    switch call.name {
    case "range": return try range(call)
    case "namespace", "dict":
      let dictionary = try dictionary(call)
      guard call.name == "namespace" else { return .dictionary(dictionary) }
      for name in dictionary.keys.compactMap(\.string) where name.hasPrefix("_") {
        throw TemplateFault("namespace: names that begin with '_' are not allowed")
      }
      let namespace = TemplateNamespace(dictionary)
      try run.register(namespace)
      return .namespace(namespace)
    case "raise_exception":
      try call.bind("message")
      throw TemplateFault(try call.required(0).text(run))
    default:
      try call.bind("format")
      return .string(try date(call.requiredString(0)))
    }
  }

  private func dictionary(_ call: TemplateCall) throws -> TemplateDictionary {
    var result = TemplateDictionary()
    switch call.positional.first {
    case nil: break
    case .dictionary(let other)?: result = other
    case let list?:
      for pair in try elements(of: list) {
        let parts = try elements(of: pair)
        guard parts.count == 2 else {
          throw TemplateFault("\(call.name): pairs of key and value expected")
        }
        try result.set(parts[0], parts[1])
      }
    }
    guard call.positional.count < 2 else {
      throw TemplateFault("\(call.name): at most one argument without a name expected")
    }
    for argument in call.named { try result.set(argument.name, argument.value) }
    try run.charge(elements: result.keys.count)
    return result
  }

  private func range(_ call: TemplateCall) throws -> TemplateValue {
    let bounds = call.positional.compactMap(\.index)
    guard (1...3).contains(bounds.count), bounds.count == call.positional.count, call.named.isEmpty
    else { throw TemplateFault("range: one to three integers expected") }
    let (start, end) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
    let step = bounds.count == 3 ? bounds[2] : 1
    guard step != 0 else { throw TemplateFault("range: the step is 0") }
    let limit = 100_000
    var items: [TemplateValue] = []
    for value in stride(from: start, to: end, by: step) {
      guard items.count < limit else {
        throw TemplateFault("range: more than \(limit) numbers")
      }
      items.append(.integer(value))
    }
    try run.charge(elements: items.count)
    return .view(try TemplateView(start: start, stop: end, step: step, items))
  }

  /// The local date and time as `strftime` formats it.
  private func date(_ format: String) throws -> String {
    guard format.utf8.count <= 256, !format.utf8.contains(0) else {
      throw TemplateFault("strftime_now: the format is too long")
    }
    var time = time_t(now)
    var parts = tm()
    localtime_r(&time, &parts)
    var buffer = [CChar](repeating: 0, count: 1 << 14)
    let length = strftime(&buffer, buffer.count, format, &parts)
    return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

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

  /// Arguments without a parameter: `varargs`, `kwargs` and `caller`, if the macro uses them.
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

  /// `loop(children)`: runs the loop again, one level deeper.
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
