// The functions of texts.

extension TemplateEvaluator {
  /// Those whose result is marked `safe` when the text is.
  private static let keepsMark: Set = [
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "replace", "upper", "lower",
    "title", "capitalize", "join", "removeprefix", "removesuffix", "zfill", "partition",
    "rpartition", "center", "ljust", "rjust", "swapcase", "casefold", "expandtabs",
  ]

  func text(
    _ text: String, _ call: inout TemplateCall, of receiver: TemplateValue
  ) throws -> TemplateValue? {
    if let value = try textFormat(text, &call, of: receiver) { return value }
    let result =
      try textPart(text, &call) ?? textTest(text, &call)
      ?? textChange(text, &call, isMarkup: receiver.isMarkup) ?? textWidth(text, &call)
    return Self.keepsMark.contains(call.name) ? try result?.marked(as: receiver) : result
  }

  private func textFormat(
    _ text: String, _ call: inout TemplateCall, of receiver: TemplateValue
  ) throws -> TemplateValue? {
    switch call.name {
    case "format": return try formatted(text, call, isMarkup: receiver.isMarkup)
    case "format_map":
      try call.bind("mapping")
      guard case .dictionary(let dictionary) = try call.required(0) else {
        throw TemplateFault("format_map: a dict expected")
      }
      let named = dictionary.pairs.compactMap { key, value in key.string.map { ($0, value) } }
      return try formatted(
        text, TemplateCall(call.name, [], named, run), isMarkup: receiver.isMarkup)
    case "unescape", "striptags":
      throw TemplateFault("the function '\(call.name)' of Markup is not supported")
    default: return nil
    }
  }

  /// The range given by the second and third argument, as in Python slices.
  func bounds(_ call: TemplateCall, _ count: Int) throws -> Range<Int> {
    func place(_ position: Int, _ other: Int) throws -> Int {
      guard let value = call[position], !value.isNone else { return other }
      guard let index = value.index else {
        throw TemplateFault("\(call.name): an integer expected, got \(value.typeName)")
      }
      return index < 0 ? max(0, index.addingReportingOverflow(count).partialValue) : index
    }
    let (start, stop) = try (place(1, 0), min(count, place(2, count)))
    return start <= stop ? start..<stop : count..<count
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

  /// Functions that inspect a text.
  private func textTest(_ text: String, _ call: inout TemplateCall) throws -> TemplateValue? {
    switch call.name {
    case "startswith", "endswith":
      try call.bind("affix", "start", "end")
      let isPrefix = call.name == "startswith"
      guard let (text, _) = try cut(text, call) else { return .boolean(false) }
      var affixes = [try call.required(0)]
      if case .tuple(let list) = affixes[0] { affixes = list.items }
      return .boolean(
        try affixes.contains { affix in
          guard let affix = affix.string else {
            throw TemplateFault("\(call.name): a text expected, got \(affix.typeName)")
          }
          return isPrefix
            ? text.utf8.starts(with: affix.utf8)
            : text.utf8.reversed().starts(with: affix.utf8.reversed())
        })
    case "find", "rfind", "count", "index", "rindex":
      try call.bind("sub", "start", "end")
      guard let (part, before) = try cut(text, call) else {
        _ = try call.requiredString(0)
        if call.name == "count" { return .integer(0) }
        guard call.name.hasSuffix("find") else {
          throw TemplateFault("\(call.name): the text is not there")
        }
        return .integer(-1)
      }
      return try position(of: call.requiredString(0), in: part, call.name, after: before)
    case "isdigit", "isspace", "isalpha", "isalnum", "isupper", "islower", "isascii",
      "isnumeric", "isdecimal", "istitle", "isidentifier", "isprintable":
      try call.bind()
      try run.charge(bytes: text.utf8.count * 16)
      return .boolean(text.holds(call.name))
    default: return nil
    }
  }

  /// The text between the second and third argument, and the number of characters before it; nil if
  /// it starts after the end.
  private func cut(_ text: String, _ call: TemplateCall) throws -> (String, Int)? {
    guard call[1] != nil || call[2] != nil else { return (text, 0) }
    let scalars = Array(text.unicodeScalars)
    var start = try call[1].map { $0.isNone ? 0 : try call.integer(1, default: 0) } ?? 0
    if start < 0 { start = max(0, start.addingReportingOverflow(scalars.count).partialValue) }
    let range = try bounds(call, scalars.count)
    guard range.lowerBound == start else { return nil }
    return (String(String.UnicodeScalarView(scalars[range])), start)
  }

  private func position(
    of part: String, in text: String, _ name: String, after before: Int
  ) throws -> TemplateValue {
    let bytes = Array(text.utf8)
    let size = text.unicodeScalars.count
    if part.isEmpty {
      return .integer(name == "count" ? size + 1 : before + (name.hasPrefix("r") ? size : 0))
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
    let head = String(decoding: bytes[..<first.lowerBound], as: UTF8.self)
    return .integer(before + head.unicodeScalars.count)
  }

  /// Functions that give another text.
  private func textChange(
    _ text: String, _ call: inout TemplateCall, isMarkup: Bool
  ) throws -> TemplateValue? {
    switch call.name {
    case "replace":
      try call.bind("old", "new", "count")
      var new = try call.requiredString(1)
      if isMarkup { new = try call.required(1).escapedText(run) }
      return .string(
        try replacing(
          call.requiredString(0), with: new, in: text, atMost: call.integer(2, default: -1), run))
    case "join":
      try call.bind("items")
      let items = try elements(of: call.required(0)).map { item in
        if isMarkup { return try item.escapedText(run) }
        guard let text = item.string else {
          throw TemplateFault("join: texts expected, got \(item.typeName)")
        }
        return text
      }
      return .string(try items.joined(run, separator: text))
    case "upper", "lower", "title", "capitalize", "swapcase", "casefold":
      try call.bind()
      switch call.name {
      case "upper": return .string(text.uppercased())
      case "lower": return .string(text.lowercased())
      case "casefold": return .string(text.caseFolded)
      case "swapcase": return .string(text.caseSwapped)
      case "title": return .string(titled(text) { !$0.properties.isCased })
      default: return .string(capitalized(text))
      }
    default: return nil
    }
  }
}

extension String {
  /// Python's `swapcase`.
  fileprivate var caseSwapped: String {
    unicodeScalars.reduce(into: "") { result, scalar in
      let properties = scalar.properties
      if properties.isUppercase {
        result += properties.lowercaseMapping
      } else if properties.isLowercase {
        result += properties.uppercaseMapping
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }

  /// Python's `casefold`, for texts whose folding is their lower case, and sharp s.
  fileprivate var caseFolded: String {
    unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "\u{df}", "\u{1e9e}": result += "ss"
      case "\u{3c2}": result += "\u{3c3}"
      default: result += scalar.properties.lowercaseMapping
      }
    }
  }
}
