// Jinja's filters on lists and other iterables.

extension TemplateEvaluator {
  /// Filters that put elements in order or give one of them.
  func ordering(_ value: TemplateValue, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "first", "last":
      try call.bind()
      if call.name == "first", case .iterator(let iterator) = value {
        return iterator.take() ?? .undefined("the first of nothing")
      }
      if case .iterator = value { throw TemplateFault("last: a generator has no last element") }
      let items = try elements(of: value)
      return (call.name == "first" ? items.first : items.last)
        ?? .undefined("the \(call.name) of nothing")
    case "reverse":
      try call.bind()
      if let text = value.string {
        return try TemplateValue.string(text.reversedScalars).marked(as: value)
      }
      return .iterator(try TemplateIterator(elements(of: value).reversed()))
    case "join":
      try call.bind("d", "attribute")
      let items = try elements(of: value)
      let path = call[1]
      let texts = try items.map { item in
        try (path.map { try part($0, of: item) } ?? item).text(run)
      }
      return .string(try texts.joined(run, separator: call[0]?.text(run) ?? ""))
    case "sort":
      try call.bind("reverse", "case_sensitive", "attribute")
      let keyed = try sortKeys(
        elements(of: value), call[2], isExact: call.boolean(1, default: false))
      let order = try sorted(keyed.map(\.key), reverse: call.boolean(0, default: false))
      return try .list(of: order.map { keyed[$0].item })
    case "dictsort": return try sortedPairs(value, &call)
    case "unique":
      try call.bind("case_sensitive", "attribute")
      let keyed = try keys(elements(of: value), call[1], isExact: call.boolean(0, default: false))
      var seen: Set<TemplateKey> = []
      let kept = try keyed.filter { seen.insert(try key($0.key)).inserted }
      return .iterator(try TemplateIterator(kept.map(\.item)))
    case "min", "max":
      try call.bind("case_sensitive", "attribute")
      let keyed = try keys(elements(of: value), call[1], isExact: call.boolean(0, default: false))
      guard var best = keyed.first else { return .undefined("the \(call.name) of nothing") }
      for other in keyed.dropFirst() {
        let isBetter =
          try call.name == "min"
          ? other.key.precedes(best.key, "<", run) : best.key.precedes(other.key, ">", run)
        if isBetter { best = other }
      }
      return best.item
    case "sum":
      try call.bind("attribute", "start")
      let path = call[0].flatMap { $0.isNone ? nil : $0 }
      return try elements(of: value).reduce(call[1] ?? .integer(0)) { sum, item in
        try sum.added(to: path.map { try part($0, of: item) } ?? item, run)
      }
    default: return nil
    }
  }

  private func sortedPairs(
    _ value: TemplateValue, _ call: inout TemplateCall
  ) throws -> TemplateValue {
    try call.bind("case_sensitive", "by", "reverse")
    guard case .dictionary(let dictionary) = value else {
      throw TemplateFault("dictsort: a dict expected, got \(value.typeName)")
    }
    let by = try call.string(1) ?? "key"
    guard by == "key" || by == "value" else {
      throw TemplateFault("dictsort: 'by' must be 'key' or 'value', got '\(by)'")
    }
    let keyed = try keys(
      by == "key" ? dictionary.keys : dictionary.values, nil,
      isExact: call.boolean(0, default: false))
    let order = try sorted(keyed.map(\.key), reverse: call.boolean(2, default: false))
    return try .list(
      of: order.map {
        .tuple(try TemplateList([dictionary.keys[$0], dictionary.values[$0]]))
      })
  }

  /// Elements with their sort keys: optionally an attribute, case-insensitive unless `isExact`.
  private func keys(
    _ items: [TemplateValue], _ path: TemplateValue?, isExact: Bool
  ) throws -> [(key: TemplateValue, item: TemplateValue)] {
    let path = path.flatMap { $0.isNone ? nil : $0 }
    return try items.map { item in
      let key = try path.map { try part($0, of: item) } ?? item
      guard !isExact, let text = key.string else { return (key, item) }
      return (.string(text.lowercased()), item)
    }
  }

  /// The same for `sort`, whose attribute may be several with commas between.
  private func sortKeys(
    _ items: [TemplateValue], _ path: TemplateValue?, isExact: Bool
  ) throws -> [(key: TemplateValue, item: TemplateValue)] {
    guard let text = path?.string, text.contains(",") else {
      return try keys(items, path, isExact: isExact)
    }
    let paths = parts(text, ",", atMost: -1, fromRight: false)
    return try items.map { item in
      let key = try paths.flatMap { try keys([item], .string($0), isExact: isExact).map(\.key) }
      return (try .list(of: key), item)
    }
  }

  /// Stable positions of the keys in ascending or descending order.
  func sorted(_ keys: [TemplateValue], reverse: Bool) throws -> [Int] {
    try run.charge(elements: keys.count)
    return try keys.indices.sorted { a, b in
      let (x, y) = reverse ? (keys[b], keys[a]) : (keys[a], keys[b])
      if try x.precedes(y, "<", run) { return true }
      return try y.precedes(x, "<", run) ? false : a < b
    }
  }

  /// An attribute by its path, such as `function.name` or `0`. Uses `fallback` if any step is
  /// missing.
  func part(
    _ path: TemplateValue, of value: TemplateValue, fallback: TemplateValue? = nil
  ) throws -> TemplateValue {
    guard let text = path.string else { return try item(path, of: value) }
    return try parts(text, ".", atMost: -1, fromRight: false).reduce(value) { value, name in
      let isIndex = !name.isEmpty && name.utf8.allSatisfy { (48...57).contains($0) }
      let key = isIndex ? Int(name).map { TemplateValue.integer($0) } : nil
      let found = try item(key ?? .string(name), of: value)
      return found.isUndefined ? fallback ?? found : found
    }
  }

  /// `map`, `select`, `reject`, `selectattr` and `rejectattr`.
  func choosing(_ value: TemplateValue, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "map": return try mapped(value, call)
    case "select", "reject", "selectattr", "rejectattr":
      guard call.named.isEmpty else {
        throw TemplateFault("\(call.name): arguments with names are not supported")
      }
      var arguments = call.positional[...]
      let usesAttribute = call.name.hasSuffix("attr")
      let path = usesAttribute ? arguments.popFirst() : nil
      if usesAttribute, path == nil { throw TemplateFault("\(call.name): an attribute expected") }
      let test = arguments.popFirst()
      let wanted = call.name.hasPrefix("select")
      let kept = try chosenFrom(value).filter { item in
        let subject = try path.map { try part($0, of: item) } ?? item
        guard let test else { return subject.isTrue == wanted }
        guard let name = test.string else {
          throw TemplateFault("\(call.name): the name of a test expected, got \(test.typeName)")
        }
        return try holds(TemplateCall(name, Array(arguments), [], run), of: subject) == wanted
      }
      return .iterator(try TemplateIterator(kept))
    default: return nil
    }
  }

  /// These filters treat any false value as empty, including None.
  private func chosenFrom(_ value: TemplateValue) throws -> [TemplateValue] {
    value.isTrue ? try elements(of: value) : []
  }

  private func mapped(_ value: TemplateValue, _ call: TemplateCall) throws -> TemplateValue {
    let items = try chosenFrom(value)
    if call.positional.isEmpty, let path = call.named.first(where: { $0.name == "attribute" }) {
      let other = call.named.first { $0.name == "default" }?.value
      guard call.named.count == (other == nil ? 1 : 2) else {
        throw TemplateFault("map: 'attribute' and 'default' expected")
      }
      let values = try items.map { try part(path.value, of: $0, fallback: other) }
      return .iterator(try TemplateIterator(values))
    }
    guard let name = call.positional.first?.string else {
      throw TemplateFault("map: the name of a filter, or 'attribute', expected")
    }
    let inner = TemplateCall(name, Array(call.positional.dropFirst()), call.named, run)
    let values = try items.map { item in try run.nested { try apply(inner, to: item) } }
    return .iterator(try TemplateIterator(values))
  }
}

extension String {
  fileprivate var reversedScalars: String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: unicodeScalars.reversed())
    return String(view)
  }
}
