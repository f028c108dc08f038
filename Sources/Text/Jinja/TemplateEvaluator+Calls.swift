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
