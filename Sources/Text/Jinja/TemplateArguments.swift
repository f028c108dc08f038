/// The arguments of a call of a filter, test, method or macro.
struct TemplateCall {
  let name: String
  var positional: [TemplateValue]
  var named: [(name: String, value: TemplateValue)]
  let run: TemplateRun

  /// Gives the arguments the names of the parameters; throws on unknown, missing and extra ones.
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

  /// A bound argument; nil when it was left out.
  subscript(position: Int) -> TemplateValue? { values[position] }

  /// A bound argument that must be there.
  func required(_ position: Int) throws -> TemplateValue {
    guard let value = values[position] else {
      throw TemplateFault("\(name): argument '\(names[position])' is missing")
    }
    return value
  }

  /// A bound text; nil when it was left out or is None.
  func string(_ position: Int) throws -> String? {
    switch values[position] {
    case nil, .some(.none): return nil
    case .string(let text), .markup(let text): return text
    case let other?:
      throw TemplateFault("\(name): '\(names[position])' must be a text, got \(other.typeName)")
    }
  }

  /// A bound text that must be there.
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
