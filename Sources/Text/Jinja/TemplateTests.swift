// Jinja's tests: `value is defined`.

extension TemplateEvaluator {
  private static let comparisons = [
    "eq": "==", "equalto": "==", "==": "==", "ne": "!=", "!=": "!=", "lt": "<", "lessthan": "<",
    "<": "<", "le": "<=", "<=": "<=", "gt": ">", "greaterthan": ">", ">": ">", "ge": ">=",
    ">=": ">=", "in": "in",
  ]

  /// Whether a test holds of a value.
  func test(
    _ value: TemplateValue, _ test: TemplateFilter, _ scope: TemplateScope
  ) throws -> Bool {
    try holds(values(test.name, test.arguments, scope), of: value)
  }

  /// Whether the test that the call names holds of a value.
  func holds(_ call: TemplateCall, of value: TemplateValue) throws -> Bool {
    var call = call
    if let operation = Self.comparisons[call.name] {
      try call.bind("other")
      return try value.compares(operation, call.required(0), self)
    }
    if ["odd", "even", "divisibleby"].contains(call.name) { return try divides(value, &call) }
    if call.name == "sameas" {
      try call.bind("other")
      return try isSame(value, call.required(0))
    }
    try call.bind()
    guard let result = try kind(value, call.name) else {
      throw TemplateFault("the test '\(call.name)' is not supported")
    }
    return result
  }

  private func divides(_ value: TemplateValue, _ call: inout TemplateCall) throws -> Bool {
    var divisor = TemplateValue.integer(2)
    if call.name == "divisibleby" {
      try call.bind("num")
      divisor = try call.required(0)
    } else {
      try call.bind()
    }
    let rest = try value.string == nil ? value.remainder(by: divisor) : percent(value, divisor)
    return try rest.equals(.integer(call.name == "odd" ? 1 : 0), run)
  }

  /// Python's `is`, for the values of which there is only one.
  private func isSame(_ value: TemplateValue, _ other: TemplateValue) throws -> Bool {
    switch (value, other) {
    case (.none, .none): true
    case (.boolean(let a), .boolean(let b)): a == b
    case (.none, _), (_, .none), (.boolean, _), (_, .boolean): false
    case (.namespace(let a), .namespace(let b)): a === b
    case (.integer(let a), .integer(let b)) where (-5...256).contains(a): a == b
    case (.integer, .string), (.string, .integer): false
    default: throw TemplateFault("the test 'sameas' is supported for true, false and none only")
    }
  }

  private func kind(_ value: TemplateValue, _ name: String) throws -> Bool? {
    // Looking up what a character is takes far longer than comparing it.
    if name == "lower" || name == "upper" {
      try run.charge(bytes: value.text(run).utf8.count * 16)
    }
    return try kindWithoutCharge(value, name)
  }

  private func kindWithoutCharge(_ value: TemplateValue, _ name: String) throws -> Bool? {
    switch (name, value) {
    case ("defined", _): !value.isUndefined
    case ("undefined", _): value.isUndefined
    case ("none", _): value.isNone
    case ("boolean", .boolean), ("string", .string), ("string", .markup), ("mapping", .dictionary),
      ("float", .float),
      ("integer", .integer), ("true", .boolean(true)), ("false", .boolean(false)),
      ("number", .integer), ("number", .float), ("number", .boolean):
      true
    case ("sequence", .view(let view)): view.type == "range"
    case ("sequence", .string), ("sequence", .markup), ("sequence", .list), ("sequence", .tuple),
      ("sequence", .dictionary), ("sequence", .undefined):
      true
    case ("iterable", .string), ("iterable", .markup), ("iterable", .view), ("iterable", .list),
      ("iterable", .tuple),
      ("iterable", .dictionary), ("iterable", .iterator), ("iterable", .undefined),
      ("iterable", .loop):
      true
    case ("callable", .function), ("callable", .method), ("callable", .macro): true
    case ("lower", _): try value.text(run).isCase(\.isLowercase, not: \.isUppercase)
    case ("upper", _): try value.text(run).isCase(\.isUppercase, not: \.isLowercase)
    case ("escaped", _): value.isMarkup
    case ("filter", _): value.string.map(TemplateEvaluator.filterNames.contains)
    case ("test", _): value.string.map(TemplateEvaluator.testNames.contains)
    case ("boolean", _), ("string", _), ("mapping", _), ("float", _), ("integer", _), ("true", _),
      ("false", _), ("number", _), ("sequence", _), ("iterable", _), ("callable", _):
      false
    default: nil
    }
  }
}

extension String {
  fileprivate func isCase(
    _ wanted: (Unicode.Scalar.Properties) -> Bool, not other: (Unicode.Scalar.Properties) -> Bool
  ) -> Bool {
    unicodeScalars.contains { wanted($0.properties) }
      && !unicodeScalars.contains { other($0.properties) }
  }
}
