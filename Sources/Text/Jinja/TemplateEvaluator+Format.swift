// `text.format(…)` and `text % values`. A text marked `safe` escapes what is put into it.

import Core

extension TemplateEvaluator {
  /// Python's `str.format` as Jinja's sandbox has it.
  func formatted(
    _ text: String, _ call: TemplateCall, isMarkup: Bool
  ) throws -> TemplateValue {
    var filler = TemplateFiller(
      evaluator: self, positional: call.positional,
      named: Dictionary(call.named.map { ($0.name, $0.value) }) { $1 }, isMarkup: isMarkup)
    let result = try filler.fill(Array(text.unicodeScalars)[...], depth: 3)
    return isMarkup ? .markup(result) : .string(result)
  }
}

/// Puts values into the fields of a text.
private struct TemplateFiller {
  let evaluator: TemplateEvaluator
  let positional: [TemplateValue]
  let named: [String: TemplateValue]
  let isMarkup: Bool
  /// The next field without a number; nil when fields are numbered.
  var next: Int? = 0
  private var isNumbered = false

  init(
    evaluator: TemplateEvaluator, positional: [TemplateValue], named: [String: TemplateValue],
    isMarkup: Bool
  ) {
    (self.evaluator, self.positional) = (evaluator, positional)
    (self.named, self.isMarkup) = (named, isMarkup)
  }

  private var run: TemplateRun { evaluator.run }

  mutating func fill(_ text: ArraySlice<Unicode.Scalar>, depth: Int) throws -> String {
    guard depth > 0 else { throw TemplateFault("format: fields are nested too deeply") }
    var result = String.UnicodeScalarView()
    var rest = text
    while let scalar = rest.popFirst() {
      guard scalar == "{" || scalar == "}" else {
        result.append(scalar)
        continue
      }
      if rest.first == scalar {
        rest.removeFirst()
        result.append(scalar)
      } else {
        guard scalar == "{" else { throw TemplateFault("format: a single '}' in the text") }
        let piece = try field(&rest, depth)
        try run.charge(bytes: piece.utf8.count)
        result.append(contentsOf: piece.unicodeScalars)
      }
    }
    return String(result)
  }

  /// One field, after its `{`.
  private mutating func field(
    _ rest: inout ArraySlice<Unicode.Scalar>, _ depth: Int
  ) throws -> String {
    let whole = rest
    let start = rest.startIndex
    var open = 1
    while let scalar = rest.popFirst() {
      if scalar == "{" { open += 1 } else if scalar == "}" { open -= 1 }
      if open == 0 { break }
    }
    guard open == 0 else { throw TemplateFault("format: a '{' has no '}'") }
    let content = whole[start..<rest.startIndex - 1]
    let name = content.prefix(upTo: nameEnd(content))
    var tail = content[name.endIndex...]
    var conversion: Unicode.Scalar?
    if tail.first == "!" {
      tail.removeFirst()
      conversion = tail.popFirst()
      guard conversion != nil, tail.first == ":" || tail.isEmpty else {
        throw TemplateFault("format: a conversion r, s or a expected after '!'")
      }
    }
    if tail.first == ":" { tail.removeFirst() }
    let value = try converted(self.value(name), conversion)
    return try shown(value, fill(tail, depth: depth - 1))
  }

  private func nameEnd(_ content: ArraySlice<Unicode.Scalar>) -> Int {
    var isInBrackets = false
    for place in content.indices {
      switch content[place] {
      case "[": isInBrackets = true
      case "]": isInBrackets = false
      case ":", "!": if !isInBrackets { return place }
      default: break
      }
    }
    return content.endIndex
  }

  private func converted(
    _ value: TemplateValue, _ conversion: Unicode.Scalar?
  ) throws -> TemplateValue {
    switch conversion {
    case nil: return value
    case "s": return .string(try value.text(run))
    case "r": return .string(try value.representation(run))
    case "a": return .string(try value.representation(run).asciiEscaped)
    default: throw TemplateFault("format: a conversion r, s or a expected after '!'")
    }
  }

  private func shown(_ value: TemplateValue, _ specification: String) throws -> String {
    let text =
      specification.isEmpty
      ? try value.text(run) : try TemplateFormat(specification).format(value, run)
    guard isMarkup else { return text }
    guard value.isMarkup else { return try escaped(text, run) }
    guard specification.isEmpty else {
      throw TemplateFault("format: a safe text takes no format specification here")
    }
    return text
  }

  /// The value of `0.name[key]`.
  private mutating func value(_ name: ArraySlice<Unicode.Scalar>) throws -> TemplateValue {
    let first = name.prefix { $0 != "." && $0 != "[" }
    var value = try argument(String(String.UnicodeScalarView(first)))
    var rest = name[first.endIndex...]
    while let mark = rest.popFirst() {
      if mark == "." {
        let part = rest.prefix { $0 != "." && $0 != "[" }
        guard !part.isEmpty else { throw TemplateFault("format: an attribute's name is empty") }
        rest = rest[part.endIndex...]
        value = try evaluator.attribute(String(String.UnicodeScalarView(part)), of: value)
      } else {
        let part = rest.prefix { $0 != "]" }
        rest = rest[part.endIndex...]
        guard mark == "[", rest.popFirst() == "]", !part.isEmpty else {
          throw TemplateFault("format: a ']' or '.' expected")
        }
        let key = String(String.UnicodeScalarView(part))
        value = try evaluator.item(Self.index(key).map { .integer($0) } ?? .string(key), of: value)
      }
    }
    return value
  }

  private static func index(_ text: String) -> Int? {
    !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
  }

  private mutating func argument(_ name: String) throws -> TemplateValue {
    var index = Self.index(name)
    if name.isEmpty {
      guard let place = next, !isNumbered else {
        throw TemplateFault("format: fields with and without numbers")
      }
      index = place
      next = place + 1
    } else if index != nil {
      guard next == 0 || isNumbered else {
        throw TemplateFault("format: fields with and without numbers")
      }
      isNumbered = true
    }
    guard let index else {
      guard let value = named[name] else { throw TemplateFault("format: no argument '\(name)'") }
      return value
    }
    guard positional.indices.contains(index) else {
      throw TemplateFault("format: no argument number \(index)")
    }
    return positional[index]
  }
}

extension String {
  /// Python's `ascii`: what is not ASCII as an escape.
  var asciiEscaped: String {
    unicodeScalars.reduce(into: "") { $0 += $1.isASCII ? String($1) : $1.pythonEscape }
  }
}

/// The text as `markupsafe.escape` gives it.
func escaped(_ text: String, _ run: TemplateRun) throws -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "'": result += "&#39;"
    case "\"": result += "&#34;"
    default: result.unicodeScalars.append(scalar)
    }
  }
  try run.charge(bytes: result.utf8.count)
  return result
}

extension TemplateValue {
  /// What this value adds to a text marked `safe`.
  func escapedText(_ run: TemplateRun) throws -> String {
    if case .markup(let text) = self { return text }
    return try escaped(text(run), run)
  }
}
