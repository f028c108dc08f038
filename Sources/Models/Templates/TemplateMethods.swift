// The functions of values: those of Python that cannot change a value.

extension TemplateValue {
  private static let textMethods: Set = [
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "replace", "startswith",
    "endswith", "upper", "lower", "title", "capitalize", "find", "rfind", "count", "index", "join",
    "removeprefix", "removesuffix", "isdigit", "isspace", "isalpha", "isalnum", "isupper",
    "islower",
    "zfill", "format", "encode", "partition", "rpartition", "center", "ljust", "rjust", "swapcase",
    "casefold", "expandtabs", "translate", "isnumeric", "isdecimal", "istitle", "isidentifier",
    "isprintable", "isascii", "format_map", "maketrans", "rindex",
  ]
  private static let listMethods: Set = [
    "index", "count", "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse",
    "copy",
  ]
  private static let dictionaryMethods: Set = [
    "get", "items", "keys", "values", "copy", "clear", "fromkeys", "pop", "popitem", "setdefault",
    "update",
  ]

  /// The functions that Python has on this type, those that are refused included: they hide a key
  /// of the same name.
  var methodNames: Set<String> {
    switch self {
    case .string: Self.textMethods
    case .list: Self.listMethods
    case .tuple: ["index", "count"]
    case .dictionary: Self.dictionaryMethods
    default: []
    }
  }
}

extension TemplateEvaluator {
  /// Calls a function of a value.
  func call(_ method: TemplateMethod, _ call: TemplateCall) throws -> TemplateValue {
    var call = call
    switch method.receiver {
    case .string(let text):
      try run.charge(bytes: text.utf8.count)
      if let value = try textPart(text, &call) ?? textTest(text, &call) ?? textChange(text, &call) {
        return value
      }
    case .dictionary(let dictionary):
      if let value = try self.dictionary(dictionary, &call) { return value }
    case .list(let list), .tuple(let list):
      if let value = try self.list(list, &call) { return value }
    case .loop(let loop):
      guard !call.positional.isEmpty else { throw TemplateFault("loop.cycle: no values") }
      return call.positional[loop.index % call.positional.count]
    default: break
    }
    let type = method.receiver.typeName
    throw TemplateFault("the function '\(method.name)' of \(type) is not supported")
  }

  private func dictionary(
    _ dictionary: TemplateDictionary, _ call: inout TemplateCall
  ) throws -> TemplateValue? {
    if call.name == "get" {
      try call.bind("key", "default")
      return try dictionary[key(call.required(0))] ?? call[1] ?? TemplateValue.none
    }
    guard ["items", "keys", "values", "copy"].contains(call.name) else { return nil }
    try call.bind()
    try run.charge(elements: dictionary.keys.count)
    switch call.name {
    case "items":
      return try .list(
        of: dictionary.pairs.map { .tuple(try TemplateList([$0.key, $0.value])) })
    case "keys": return try .list(of: dictionary.keys)
    case "values": return try .list(of: dictionary.values)
    default: return .dictionary(dictionary)
    }
  }

  private func list(_ list: TemplateList, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "index", "count":
      try call.bind("value")
      let value = try call.required(0)
      let places = try list.items.indices.filter { try list.items[$0].equals(value, run) }
      if call.name == "count" { return .integer(places.count) }
      guard let first = places.first else { throw TemplateFault("index: the value is not there") }
      return .integer(first)
    case "copy": return .list(list)
    default:
      throw TemplateFault(
        "'\(call.name)' would change a list, which templates may not do (nor in transformers)")
    }
  }

  /// Functions that give pieces of a text.
  private func textPart(_ text: String, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "strip", "lstrip", "rstrip":
      try call.bind("chars")
      return .string(
        stripped(
          text, try call.string(0), left: call.name != "rstrip", right: call.name != "lstrip"))
    case "split", "rsplit":
      try call.bind("sep", "maxsplit")
      let separator = try call.string(0)
      guard separator?.isEmpty != true else { throw TemplateFault("split: empty separator") }
      let limit = try call.integer(1, default: -1)
      try run.charge(bytes: text.utf8.count * 8)
      return try list(parts(text, separator, atMost: limit, fromRight: call.name == "rsplit"))
    case "splitlines":
      try call.bind("keepends")
      try run.charge(bytes: text.utf8.count * 8)
      return try list(lines(text, keepEnds: call.boolean(0, default: false)))
    case "partition", "rpartition":
      try call.bind("sep")
      let separator = try call.requiredString(0)
      guard !separator.isEmpty else { throw TemplateFault("\(call.name): empty separator") }
      let isRight = call.name == "rpartition"
      let pieces = parts(text, separator, atMost: 1, fromRight: isRight)
      let three =
        pieces.count == 2
        ? [pieces[0], separator, pieces[1]] : isRight ? ["", "", text] : [text, "", ""]
      return .tuple(try TemplateList(three.map { .string($0) }))
    case "removeprefix", "removesuffix":
      try call.bind("affix")
      let affix = try call.requiredString(0)
      let isPrefix = call.name == "removeprefix"
      guard
        isPrefix
          ? text.utf8.starts(with: affix.utf8)
          : text.utf8.reversed().starts(with: affix.utf8.reversed())
      else { return .string(text) }
      let bytes = Array(text.utf8)
      let rest = isPrefix ? bytes.dropFirst(affix.utf8.count) : bytes.dropLast(affix.utf8.count)
      return .string(String(decoding: rest, as: UTF8.self))
    default: return nil
    }
  }

  private func list(_ texts: [String]) throws -> TemplateValue {
    try run.charge(elements: texts.count)
    return try .list(of: texts.map { .string($0) })
  }

  /// Functions that look at a text.
  private func textTest(_ text: String, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "startswith", "endswith":
      try call.bind("affix")
      let isPrefix = call.name == "startswith"
      var affixes = [try call.required(0)]
      if case .tuple(let list) = affixes[0] { affixes = list.items }
      return .boolean(
        try affixes.contains { affix in
          guard case .string(let affix) = affix else {
            throw TemplateFault("\(call.name): a text expected, got \(affix.typeName)")
          }
          return isPrefix
            ? text.utf8.starts(with: affix.utf8)
            : text.utf8.reversed().starts(with: affix.utf8.reversed())
        })
    case "find", "rfind", "count", "index", "rindex":
      try call.bind("sub")
      return try position(of: call.requiredString(0), in: text, call.name)
    case "isdigit", "isspace", "isalpha", "isalnum", "isupper", "islower", "isascii":
      try call.bind()
      try run.charge(bytes: text.utf8.count * 16)
      return .boolean(text.holds(call.name))
    default: return nil
    }
  }

  private func position(of part: String, in text: String, _ name: String) throws -> TemplateValue {
    let bytes = Array(text.utf8)
    let size = text.unicodeScalars.count
    if part.isEmpty {
      return .integer(name == "count" ? size + 1 : name.hasPrefix("r") ? size : 0)
    }
    var ranges = bytes.ranges(of: Array(part.utf8), atMost: name == "count" ? .max : 1)
    if name == "count" { return .integer(ranges.count) }
    if name.hasPrefix("r") {
      ranges = Array(bytes.reversed()).ranges(of: part.utf8.reversed(), atMost: 1)
        .map { bytes.count - $0.upperBound..<bytes.count - $0.lowerBound }
    }
    guard let first = ranges.first else {
      guard name.hasSuffix("find") else { throw TemplateFault("\(name): the text is not there") }
      return .integer(-1)
    }
    let before = String(decoding: bytes[..<first.lowerBound], as: UTF8.self)
    return .integer(before.unicodeScalars.count)
  }

  /// Functions that give another text.
  private func textChange(_ text: String, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "replace":
      try call.bind("old", "new", "count")
      return .string(
        try replacing(
          call.requiredString(0), with: call.requiredString(1), in: text,
          atMost: call.integer(2, default: -1), run))
    case "join":
      try call.bind("items")
      let items = try elements(of: call.required(0)).map { item in
        guard case .string(let text) = item else {
          throw TemplateFault("join: texts expected, got \(item.typeName)")
        }
        return text
      }
      return .string(try items.joined(run, separator: text))
    case "upper", "lower", "title", "capitalize":
      try call.bind()
      switch call.name {
      case "upper": return .string(text.uppercased())
      case "lower": return .string(text.lowercased())
      case "title": return .string(titled(text) { !$0.properties.isCased })
      default: return .string(capitalized(text))
      }
    default: return nil
    }
  }
}
