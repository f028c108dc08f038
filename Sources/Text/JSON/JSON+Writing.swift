// The JSON writer. Keys are sorted by their bytes so that equal values give equal files; doubles
// are printed with the fewest digits that read back the same.

import Core

extension JSON {
  /// The value as one line, or indented by two spaces a level when `pretty`.
  ///
  /// The keys in `first` precede the others in the outermost object, in that order. Throws when a
  /// double is NaN or infinite, which JSON cannot express.
  public func text(pretty: Bool = false, first: [String] = []) throws -> String {
    var writer = JSONWriter(pretty: pretty, first: first)
    try writer.write(self)
    return String(decoding: writer.text, as: UTF8.self)
  }

  /// The value as it appears in an error text, cut to 60 characters.
  package var excerpt: String {
    let text: String
    do { text = try self.text() } catch {
      text = error is JSONError ? "a number that is not finite" : "a value too large to show"
    }
    let start = text.unicodeScalars.prefix(61)
    return start.count > 60 ? String(start.prefix(57)) + "..." : text
  }
}

private struct JSONWriter {
  let pretty: Bool
  let first: [String]
  /// UTF-8.
  var text: [UInt8] = []
  var depth = 0
  /// The length at the last interrupt check.
  private var polled = 0

  init(pretty: Bool, first: [String]) {
    self.pretty = pretty
    self.first = first
  }

  mutating func write(_ value: JSON) throws {
    try poll()
    switch value {
    case .null: add("null")
    case .bool(let bool): add(bool ? "true" : "false")
    case .integer(let integer): add(String(integer))
    case .double(let double):
      guard double.isFinite else { throw JSONError("\(double) cannot be written as JSON") }
      add(double.description)
    case .string(let string): try write(string)
    case .array(let elements):
      try list(elements, "[", "]") { writer, element in try writer.write(element) }
    case .object(let members):
      let sorted = Self.sorted(members)
      try list(depth == 0 ? leading(sorted) : sorted, "{", "}") { writer, member in
        try writer.write(member.key)
        writer.add(writer.pretty ? ": " : ":")
        try writer.write(member.value)
      }
    }
  }

  private mutating func add(_ piece: String) { text += piece.utf8 }

  private mutating func poll() throws {
    guard text.count - polled > Interrupt.interval else { return }
    polled = text.count
    try Interrupt.check()
    // The text may have to double.
    try Memory.checkBuffer(bytes: 2 * polled, for: "JSON")
  }

  /// Members by key; the last of equal keys wins.
  private static func sorted(_ members: [JSON.Member]) -> [JSON.Member] {
    func isBefore(_ a: Int, _ b: Int) -> Bool {
      members[a].key.utf8.lexicographicallyPrecedes(members[b].key.utf8)
    }
    if members.indices.dropFirst().allSatisfy({ isBefore($0 - 1, $0) }) { return members }
    let order = members.indices.sorted { a, b in isBefore(a, b) || !isBefore(b, a) && a < b }
    var result: [JSON.Member] = []
    for index in order {
      if let last = result.last, last.key.hasSameBytes(as: members[index].key) {
        result.removeLast()
      }
      result.append(members[index])
    }
    return result
  }

  /// The members of `first`, then the others.
  private func leading(_ members: [JSON.Member]) -> [JSON.Member] {
    let chosen = first.compactMap { key in members.first { $0.key.hasSameBytes(as: key) } }
    return chosen
      + members.filter { member in !first.contains { $0.hasSameBytes(as: member.key) } }
  }

  private mutating func list<Element>(
    _ elements: [Element], _ open: String, _ close: String,
    _ write: (inout JSONWriter, Element) throws -> Void
  ) throws {
    add(open)
    depth += 1
    for (index, element) in elements.enumerated() {
      if index > 0 { add(",") }
      newline()
      try write(&self, element)
    }
    depth -= 1
    if !elements.isEmpty { newline() }
    add(close)
  }

  private mutating func newline() {
    if pretty { add("\n" + String(repeating: "  ", count: depth)) }
  }

  /// Text in double quotes; what needs no escape is copied in pieces.
  private mutating func write(_ string: String) throws {
    let size = text.count + string.utf8.count
    if size > text.capacity { try Memory.checkBuffer(bytes: 2 * size, for: "JSON") }
    var string = string
    add("\"")
    try string.withUTF8 { bytes in
      var start = 0
      while start < bytes.count {
        try poll()
        let pause = min(bytes.count, start + Interrupt.interval)
        let end = bytes[start..<pause].firstIndex(where: Self.needsEscape) ?? pause
        text += bytes[start..<end]
        start = end
        if end < pause {
          add(Self.escape(bytes[end]))
          start += 1
        }
      }
    }
    add("\"")
  }

  private static func needsEscape(_ byte: UInt8) -> Bool { byte < 32 || byte == 34 || byte == 92 }

  private static func escape(_ byte: UInt8) -> String {
    switch byte {
    case 34: return "\\\""
    case 92: return "\\\\"
    case 10: return "\\n"
    case 13: return "\\r"
    case 9: return "\\t"
    default: return "\\u" + UInt32(byte).hexadecimal(4)
    }
  }
}
