// Jinja's filters that group elements, and those that lay out text.

extension TemplateEvaluator {
  /// Filters that make lists of lists.
  func grouping(_ value: TemplateValue, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "batch":
      try call.bind("linecount", "fill_with")
      guard let size = try call.required(0).index else {
        throw TemplateFault("batch: 'linecount' must be an integer")
      }
      return .iterator(try TemplateIterator(batches(elements(of: value), size, call[1])))
    case "slice":
      try call.bind("slices", "fill_with")
      guard let count = try call.required(0).index, count != 0, count <= TemplateFormat.limit else {
        throw TemplateFault("slice: an integer up to \(TemplateFormat.limit) expected, not 0")
      }
      return .iterator(try TemplateIterator(slices(elements(of: value), max(0, count), call[1])))
    case "groupby":
      try call.bind("attribute", "default", "case_sensitive")
      let other = call[1].flatMap { $0.isNone ? nil : $0 }
      return try grouped(
        elements(of: value), by: call.required(0), fallback: other,
        isExact: call.boolean(2, default: false))
    default: return nil
    }
  }

  private func batches(
    _ items: [TemplateValue], _ size: Int, _ fill: TemplateValue?
  ) throws -> [TemplateValue] {
    var result: [[TemplateValue]] = []
    for item in items {
      if let last = result.last, last.count != size {
        result[result.count - 1].append(item)
      } else {
        result.append([item])
      }
    }
    if let fill, !fill.isNone, let last = result.last, last.count < size {
      try run.charge(elements: size)
      result[result.count - 1] += Array(repeating: fill, count: size - last.count)
    }
    return try result.map { try .list(of: $0) }
  }

  private func slices(
    _ items: [TemplateValue], _ count: Int, _ fill: TemplateValue?
  ) throws -> [TemplateValue] {
    guard count > 0 else { return [] }
    try run.charge(elements: count)
    let (size, longer) = items.count.quotientAndRemainder(dividingBy: count)
    var start = 0
    return try (0..<count).map { place in
      let end = start + size + (place < longer ? 1 : 0)
      var part = Array(items[start..<end])
      start = end
      if let fill, !fill.isNone, place >= longer { part.append(fill) }
      return try .list(of: part)
    }
  }

  private func grouped(
    _ items: [TemplateValue], by path: TemplateValue, fallback: TemplateValue?, isExact: Bool
  ) throws -> TemplateValue {
    let keys = try items.map { item in
      let key = try part(path, of: item, fallback: fallback)
      guard !isExact, let text = key.string else { return (key, key) }
      return (TemplateValue.string(text.lowercased()), key)
    }
    var groups: [(key: TemplateValue, shown: TemplateValue, items: [TemplateValue])] = []
    for place in try sorted(keys.map(\.0), reverse: false) {
      if let last = groups.last, try last.key.equals(keys[place].0, run) {
        groups[groups.count - 1].items.append(items[place])
      } else {
        groups.append((keys[place].0, keys[place].1, [items[place]]))
      }
    }
    return try .list(
      of: groups.map { group in
        .tuple(try TemplateList([group.shown, .list(of: group.items)], isGroup: true))
      })
  }

  /// Filters that lay out text.
  func layout(_ value: TemplateValue, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "center":
      try call.bind("width")
      let method = TemplateCall(call.name, [.integer(try call.integer(0, default: 80))], [], run)
      let text = value.isMarkup ? value : TemplateValue.string(try value.text(run))
      return try self.call(TemplateMethod(text, "center"), method)
    case "wordcount":
      try call.bind()
      return .integer(try wordCount(value.text(run)))
    case "truncate": return try truncated(value, &call)
    case "format":
      guard call.positional.isEmpty || call.named.isEmpty else {
        throw TemplateFault("format: arguments with and without names exclude each other")
      }
      var named = TemplateDictionary()
      for argument in call.named { try named.set(argument.name, argument.value) }
      return try percent(
        value.isMarkup ? value : .string(value.text(run)),
        call.named.isEmpty ? .tuple(TemplateList(call.positional)) : .dictionary(named))
    case "xmlattr": return try attributes(value, &call)
    case "urlencode":
      try call.bind()
      return .string(try encoded(value))
    case "filesizeformat": return try size(value, &call)
    case "attr":
      try call.bind("name")
      let name = try call.required(0).text(run)
      if case .dictionary = value, !value.methodNames.contains(name) {
        return .undefined("the dict's attribute '\(name)'")
      }
      return try attribute(name, of: value)
    default: return nil
    }
  }

  private func wordCount(_ text: String) throws -> Int {
    try run.charge(bytes: text.utf8.count * 8)
    var count = 0
    var isInWord = false
    for scalar in text.unicodeScalars {
      let isWord =
        scalar == "_" || scalar.properties.numericType != nil
        || [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter]
          .contains(scalar.properties.generalCategory)
      if isWord, !isInWord { count += 1 }
      isInWord = isWord
    }
    return count
  }

  private func truncated(
    _ value: TemplateValue, _ call: inout TemplateCall
  ) throws -> TemplateValue {
    try call.bind("length", "killwords", "end", "leeway")
    let length = try call.integer(0, default: 255)
    let end = try call.string(2) ?? "..."
    let leeway = try call[3].map { $0.isNone ? 5 : try call.integer(3, default: 5) } ?? 5
    guard length >= end.unicodeScalars.count, leeway >= 0 else {
      throw TemplateFault("truncate: 'length' must be at least that of 'end', 'leeway' at least 0")
    }
    let room = length - end.unicodeScalars.count
    // Accepts anything short that has a length.
    guard try self.length(of: value) - leeway > length else { return value }
    guard let text = value.string else {
      throw TemplateFault("truncate: a text expected, got \(value.typeName)")
    }
    let scalars = Array(text.unicodeScalars)
    var head = String(String.UnicodeScalarView(scalars.prefix(room)))
    if !call.boolean(1, default: false) {
      head = parts(head, " ", atMost: 1, fromRight: true)[0]
    }
    let tail = value.isMarkup ? try (call[2] ?? .string(end)).escapedText(run) : end
    return try TemplateValue.string(head + tail).marked(as: value)
  }

  private func attributes(
    _ value: TemplateValue, _ call: inout TemplateCall
  ) throws -> TemplateValue {
    try call.bind("autospace")
    guard case .dictionary(let dictionary) = value else {
      throw TemplateFault("xmlattr: a dict expected, got \(value.typeName)")
    }
    let items = try dictionary.pairs.compactMap { key, value -> String? in
      if value.isNone || value.isUndefined { return nil }
      guard let name = key.string,
        !name.unicodeScalars.contains(where: {
          $0.isPythonSpace || "/>=".unicodeScalars.contains($0)
        })
      else { throw TemplateFault("xmlattr: a key is no name of an attribute") }
      return "\(try key.escapedText(run))=\"\(try value.escapedText(run))\""
    }
    let text = try items.joined(run, separator: " ")
    return .string(call.boolean(0, default: true) && !text.isEmpty ? " " + text : text)
  }

  private func encoded(_ value: TemplateValue) throws -> String {
    func quoted(_ value: TemplateValue, isQuery: Bool) throws -> String {
      let text = try value.text(run)
      try run.charge(bytes: text.utf8.count * 3)
      return text.utf8.reduce(into: "") { result, byte in
        let scalar = Unicode.Scalar(byte)
        if isQuery, scalar == " " {
          result += "+"
        } else if byte.isNamePart || "-.~".utf8.contains(byte) || scalar == "/" && !isQuery {
          result.unicodeScalars.append(scalar)
        } else {
          let digits = String(byte, radix: 16, uppercase: true)
          result += byte < 16 ? "%0" + digits : "%" + digits
        }
      }
    }
    var pairs: [TemplateValue]
    switch value {
    case .dictionary(let dictionary):
      pairs = try dictionary.pairs.map { .tuple(try TemplateList([$0.key, $0.value])) }
    case .list, .tuple, .view, .iterator, .undefined: pairs = try elements(of: value)
    default: return try quoted(value, isQuery: false)
    }
    if value.isUndefined { pairs = [] }
    return try pairs.map { pair in
      let two = try elements(of: pair)
      guard two.count == 2 else { throw TemplateFault("urlencode: pairs expected") }
      return try quoted(two[0], isQuery: true) + "=" + quoted(two[1], isQuery: true)
    }.joined(run, separator: "&")
  }

  private func size(_ value: TemplateValue, _ call: inout TemplateCall) throws -> TemplateValue {
    try call.bind("binary")
    let isBinary = call.boolean(0, default: false)
    guard let bytes = value.number ?? value.string.flatMap({ pythonFloat($0) }) else {
      throw TemplateFault("filesizeformat: a number expected, got \(value.typeName)")
    }
    let base = isBinary ? 1024.0 : 1000.0
    if bytes == 1 { return .string("1 Byte") }
    if bytes < base {
      guard let whole = Int(exactly: bytes.rounded(.towardZero)) else {
        throw TemplateFault("filesizeformat: \(bytes) is no number of bytes")
      }
      return .string("\(whole) Bytes")
    }
    let letters = ["k", "M", "G", "T", "P", "E", "Z", "Y"]
    let names = letters.map { isBinary ? ($0 == "k" ? "K" : $0) + "iB" : $0 + "B" }
    var unit = base
    var place = 0
    repeat {
      unit *= base
    } while !(bytes < unit)
      && {
        place += 1; return place < 8
      }()
    var format = TemplateFormat()
    (format.type, format.precision) = ("f", 1)
    if place == 8 {
      place = 7
      unit /= base
    }
    return .string(try format.format(float: base * bytes / unit) + " " + names[place])
  }

  /// All filters, for the test `filter`.
  static let filterNames: Set = [
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e",
    "escape", "filesizeformat", "first", "float", "forceescape", "format", "groupby", "indent",
    "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min", "pprint",
    "random", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select",
    "selectattr", "slice", "sort", "string", "striptags", "sum", "title", "tojson", "trim",
    "truncate", "unique", "upper", "urlencode", "urlize", "wordcount", "wordwrap", "xmlattr",
  ]

  /// All tests, for the test `test`.
  static let testNames: Set = [
    "boolean", "callable", "defined", "divisibleby", "eq", "equalto", "escaped", "even", "false",
    "filter", "float", "ge", "greaterthan", "gt", "in", "integer", "iterable", "le", "lessthan",
    "lower", "lt", "mapping", "ne", "none", "number", "odd", "sameas", "sequence", "string", "test",
    "true", "undefined", "upper", "==", "!=", "<", "<=", ">", ">=",
  ]
}
