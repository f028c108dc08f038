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

  /// Python's methods of this type, including refused ones, which hide a key of the same name.
  var methodNames: Set<String> {
    switch self {
    case .string: Self.textMethods
    case .markup: Self.textMethods.union(["unescape", "striptags"])
    case .list: Self.listMethods
    case .tuple: ["index", "count"]
    case .dictionary: Self.dictionaryMethods
    case .view(let view) where view.type == "range": ["index", "count"]
    default: []
    }
  }
}

extension TemplateEvaluator {
  /// Calls a function of a value.
  func call(_ method: TemplateMethod, _ call: TemplateCall) throws -> TemplateValue {
    var call = call
    switch method.receiver {
    case .string(let text), .markup(let text):
      try run.charge(bytes: text.utf8.count)
      if let value = try self.text(text, &call, of: method.receiver) { return value }
    case .dictionary(let dictionary):
      if let value = try self.dictionary(dictionary, &call) { return value }
    case .list(let list), .tuple(let list):
      if let value = try self.list(list, &call) { return value }
    case .view(let view):
      if let value = try self.list(view.list, &call) { return value }
    case .loop(let loop): return try self.call(method.name, of: loop, call)
    default: break
    }
    let type = method.receiver.typeName
    throw TemplateFault("the function '\(method.name)' of \(type) is not supported")
  }

  private func dictionary(
    _ dictionary: TemplateDictionary, _ call: inout TemplateCall
  ) throws -> TemplateValue? {
    if call.name == "get" {
      guard call.named.isEmpty else { throw TemplateFault("get: no names of arguments expected") }
      try call.bind("key", "default")
      return try dictionary[key(call.required(0))] ?? call[1] ?? TemplateValue.none
    }
    if call.name == "fromkeys" {
      try call.bind("iterable", "value")
      var result = TemplateDictionary()
      for item in try elements(of: call.required(0)) {
        _ = try key(item)
        try result.set(item, call[1] ?? .none)
      }
      return .dictionary(result)
    }
    guard ["items", "keys", "values", "copy"].contains(call.name) else {
      throw TemplateFault(
        "'\(call.name)' would change a dict, which templates may not do (nor in transformers)")
    }
    try call.bind()
    try run.charge(elements: dictionary.keys.count)
    switch call.name {
    case "items":
      return .view(
        try TemplateView(
          "dict_items", dictionary.pairs.map { .tuple(try TemplateList([$0.key, $0.value])) }))
    case "keys": return .view(try TemplateView("dict_keys", dictionary.keys))
    case "values": return .view(try TemplateView("dict_values", dictionary.values))
    default: return .dictionary(dictionary)
    }
  }

  private func list(_ list: TemplateList, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "index", "count":
      try call.name == "index" ? call.bind("value", "start", "stop") : call.bind("value")
      let value = try call.required(0)
      var range = list.items.indices
      if call.name == "index" {
        range = try bounds(call, list.items.count)
      }
      let places = try range.filter { try list.items[$0].equals(value, run) }
      if call.name == "count" { return .integer(places.count) }
      guard let first = places.first else { throw TemplateFault("index: the value is not there") }
      return .integer(first)
    case "copy": return .list(list)
    default:
      throw TemplateFault(
        "'\(call.name)' would change a list, which templates may not do (nor in transformers)")
    }
  }
}
