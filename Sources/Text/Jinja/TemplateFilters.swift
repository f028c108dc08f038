// Jinja's filters on single values; those on lists are in TemplateFilters+Lists.swift.

import Core

extension TemplateEvaluator {
  /// Applies a filter to a value.
  func filter(
    _ value: TemplateValue, _ filter: TemplateFilter, _ scope: TemplateScope
  ) throws -> TemplateValue {
    try run.nested { try apply(values(filter.name, filter.arguments, scope), to: value) }
  }

  /// Calls the filter that the call names.
  func apply(_ call: TemplateCall, to value: TemplateValue) throws -> TemplateValue {
    var call = call
    let result =
      try basic(value, &call) ?? textual(value, &call) ?? numeric(value, &call)
      ?? ordering(value, &call) ?? choosing(value, &call) ?? grouping(value, &call)
      ?? layout(value, &call)
    guard let result else { throw TemplateFault("the filter '\(call.name)' is not supported") }
    return result
  }

  private func basic(_ value: TemplateValue, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "default", "d":
      try call.bind("default_value", "boolean")
      let replaces = call.boolean(1, default: false) ? !value.isTrue : value.isUndefined
      return replaces ? call[0] ?? .string("") : value
    case "length", "count":
      try call.bind()
      return .integer(try length(of: value))
    case "list":
      try call.bind()
      return try .list(of: elements(of: value))
    case "string":
      try call.bind()
      return value.isMarkup ? value : .string(try value.text(run))
    case "safe":
      try call.bind()
      return .markup(try value.text(run))
    case "escape", "e":
      try call.bind()
      return .markup(try value.escapedText(run))
    case "forceescape":
      try call.bind()
      return .markup(try escaped(value.text(run), run))
    case "items":
      try call.bind()
      guard case .dictionary(let dictionary) = value else {
        if value.isUndefined { return .iterator(try TemplateIterator([])) }
        throw TemplateFault("items: a dict expected, got \(value.typeName)")
      }
      try run.charge(elements: dictionary.keys.count)
      return .iterator(
        try TemplateIterator(
          dictionary.pairs.map { .tuple(try TemplateList([$0.key, $0.value])) }))
    case "tojson": return try json(value, &call)
    default: return nil
    }
  }

  /// The number of elements, keys or characters.
  func length(of value: TemplateValue) throws -> Int {
    switch value {
    case .undefined: return 0
    case .string(let text), .markup(let text):
      try run.charge(bytes: text.utf8.count)
      return text.unicodeScalars.count
    case .list(let list), .tuple(let list): return list.items.count
    case .view(let view): return view.list.items.count
    case .dictionary(let dictionary): return dictionary.keys.count
    case .loop(let loop): return loop.items.count
    default: throw TemplateFault("a \(value.typeName) has no length")
    }
  }

  private func json(_ value: TemplateValue, _ call: inout TemplateCall) throws -> TemplateValue {
    try call.bind("ensure_ascii", "indent", "separators", "sort_keys")
    var writer = TemplateJSONWriter(run: run)
    writer.isASCII = call.boolean(0, default: false)
    writer.sortsKeys = call.boolean(3, default: false)
    switch call[1] {
    case nil, .some(.none): break
    case .string(let text)?: writer.indent = text
    case let indent?:
      guard let width = indent.index, width <= 100 else {
        throw TemplateFault("tojson: 'indent' must be a text or an integer up to 100")
      }
      writer.indent = String(repeating: " ", count: max(0, width))
    }
    if writer.indent != nil { writer.itemSeparator = "," }
    if let separators = call[2], !separators.isNone {
      let parts = try elements(of: separators)
      guard parts.count == 2, let item = parts[0].string, let key = parts[1].string
      else { throw TemplateFault("tojson: 'separators' must be two texts") }
      (writer.itemSeparator, writer.keySeparator) = (item, key)
    }
    return .string(try writer.json(value))
  }

  private func textual(_ value: TemplateValue, _ call: inout TemplateCall) throws -> TemplateValue?
  {
    guard
      ["trim", "upper", "lower", "capitalize", "title", "replace", "indent"].contains(call.name)
    else { return nil }
    let text = try value.text(run)
    try run.charge(bytes: text.utf8.count)
    switch call.name {
    case "trim":
      try call.bind("chars")
      return try TemplateValue.string(stripped(text, try call.string(0))).marked(as: value)
    case "replace":
      try call.bind("old", "new", "count")
      let (old, new) = try (call.required(0).text(run), call.required(1).text(run))
      let limit = call[2].map(\.isNone) ?? true ? -1 : try call.integer(2, default: -1)
      return .string(try replacing(old, with: new, in: text, atMost: limit, run))
    case "indent":
      try call.bind("width", "first", "blank")
      guard value.string != nil else {
        throw TemplateFault("indent: a text expected, got \(value.typeName)")
      }
      return try TemplateValue.string(indented(text, call)).marked(as: value)
    default:
      try call.bind()
      switch call.name {
      case "upper": return try TemplateValue.string(text.uppercased()).marked(as: value)
      case "lower": return try TemplateValue.string(text.lowercased()).marked(as: value)
      case "capitalize": return try TemplateValue.string(capitalized(text)).marked(as: value)
      default:
        return .string(titled(text) { $0.isPythonSpace || "-({[<".unicodeScalars.contains($0) })
      }
    }
  }

  private func indented(_ text: String, _ call: TemplateCall) throws -> String {
    var margin = "    "
    if let text = call[0]?.string {
      margin = text
    } else {
      let width = try call.integer(0, default: 4)
      guard width <= 1000 else { throw TemplateFault("indent: a width of at most 1000 expected") }
      margin = String(repeating: " ", count: max(0, width))
    }
    let keepsBlank = call.boolean(2, default: false)
    let all = (text + "\n").unicodeScalars.isEmpty ? [] : lines(text + "\n", keepEnds: false)
    try run.charge(bytes: all.count * margin.utf8.count)
    let indented = all.enumerated().map { position, line in
      position == 0 || line.isEmpty && !keepsBlank ? line : margin + line
    }
    let result = try indented.joined(run, separator: "\n")
    return call.boolean(1, default: false) ? margin + result : result
  }

  private func numeric(_ value: TemplateValue, _ call: inout TemplateCall) throws -> TemplateValue?
  {
    switch call.name {
    case "int":
      try call.bind("default", "base")
      let base = try call.integer(1, default: 10)
      return try integer(value, default: call[0] ?? .integer(0), base: base)
    case "float":
      try call.bind("default")
      if let number = value.number { return .float(number) }
      if let text = value.string, let number = pythonFloat(text) {
        return .float(number)
      }
      if case .undefined(let what) = value { throw TemplateFault("float: \(what) is undefined") }
      return call[0] ?? .float(0)
    case "abs":
      try call.bind()
      if let number = value.index { return try number < 0 ? value.negated() : .integer(number) }
      guard case .float(let number) = value else {
        throw TemplateFault("abs: a number expected, got \(value.typeName)")
      }
      return .float(number.magnitude)
    case "round":
      try call.bind("precision", "method")
      return try rounded(value, call)
    default: return nil
    }
  }

  private func integer(
    _ value: TemplateValue, default other: TemplateValue, base: Int
  ) throws -> TemplateValue {
    var number = value.number
    if let exact = value.index { return .integer(exact) }
    if case .undefined(let what) = value { throw TemplateFault("int: \(what) is undefined") }
    if let text = value.string {
      if let exact = pythonInteger(stripped(text, nil), base: base) { return .integer(exact) }
      number = pythonFloat(text)
    }
    guard let number, let whole = Int(exactly: number.rounded(.towardZero)) else { return other }
    return .integer(whole)
  }
}

extension TemplateValue {
  var isUndefined: Bool { if case .undefined = self { true } else { false } }
  var isNone: Bool { if case .none = self { true } else { false } }
}
