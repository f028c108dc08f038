// The JSON writer. Keys are sorted by their bytes so that equal values give equal files; doubles
// are printed with as many digits as it takes to read the same double back.

import Core

extension JSON {
  /// The value as one line, or indented by two spaces a level when `pretty`.
  ///
  /// The keys in `first` precede the others in the outermost object, in that order. Throws when a
  /// double is NaN or infinite, which JSON cannot express.
  public func text(pretty: Bool = false, first: [String] = []) throws -> String {
    var writer = JSONWriter(pretty: pretty, first: first)
    try writer.write(self)
    return writer.text
  }

  /// The value as it appears in an error text, cut to 60 characters.
  package var excerpt: String {
    let text = (try? text()) ?? "a number that is not finite"
    return text.count > 60 ? text.prefix(57) + "..." : text
  }
}

private struct JSONWriter {
  let pretty: Bool
  let first: [String]
  var text = ""
  var depth = 0
  /// The length at which the writer last asked whether to stop.
  private var polled = 0

  init(pretty: Bool, first: [String]) {
    self.pretty = pretty
    self.first = first
  }

  mutating func write(_ value: JSON) throws {
    if text.utf8.count - polled > 1 << 16 {
      polled = text.utf8.count
      try Interrupt.check()
      // The text may have to double.
      try Memory.checkBuffer(bytes: 2 * polled, for: "JSON")
    }
    switch value {
    case .null: text += "null"
    case .bool(let bool): text += bool ? "true" : "false"
    case .integer(let integer): text += String(integer)
    case .double(let double):
      guard double.isFinite else { throw JSONError("\(double) cannot be written as JSON") }
      text += double.description
    case .string(let string):
      try Memory.checkBuffer(bytes: 2 * (text.utf8.count + string.utf8.count), for: "JSON")
      try write(string)
    case .array(let elements):
      try list(elements, "[", "]") { writer, element in try writer.write(element) }
    case .object(let members):
      let sorted = Self.sorted(members)
      try list(depth == 0 ? leading(sorted) : sorted, "{", "}") { writer, member in
        try writer.write(member.key)
        writer.text += writer.pretty ? ": " : ":"
        try writer.write(member.value)
      }
    }
  }

  /// Members by key; of equal keys only the last.
  private static func sorted(_ members: [JSON.Member]) -> [JSON.Member] {
    let order = members.indices.sorted {
      let (a, b) = (members[$0].key.utf8, members[$1].key.utf8)
      return a.elementsEqual(b) ? $0 < $1 : a.lexicographicallyPrecedes(b)
    }
    var result: [JSON.Member] = []
    for index in order {
      if result.last?.key.utf8.elementsEqual(members[index].key.utf8) == true {
        result.removeLast()
      }
      result.append(members[index])
    }
    return result
  }

  /// The members that come first, then the others.
  private func leading(_ members: [JSON.Member]) -> [JSON.Member] {
    let chosen = first.compactMap { key in members.first { $0.key == key } }
    return chosen + members.filter { !first.contains($0.key) }
  }

  private mutating func list<Element>(
    _ elements: [Element], _ open: String, _ close: String,
    _ write: (inout JSONWriter, Element) throws -> Void
  ) throws {
    text += open
    depth += 1
    for (index, element) in elements.enumerated() {
      if index > 0 { text += "," }
      newline()
      try write(&self, element)
    }
    depth -= 1
    if !elements.isEmpty { newline() }
    text += close
  }

  private mutating func newline() {
    if pretty { text += "\n" + String(repeating: "  ", count: depth) }
  }

  private mutating func write(_ string: String) throws {
    text += "\""
    var pause = text.utf8.count + Interrupt.interval
    for scalar in string.unicodeScalars {
      if text.utf8.count >= pause {
        try Interrupt.check()
        pause = text.utf8.count + Interrupt.interval
      }
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<" ":
        let code = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - code.count) + code
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
