// Pretty-prints values: sorted keys, one line if it fits, with limits otherwise.

import CLua

/// Lays values out for a terminal.
public struct PrettyPrinter {
  /// The number of columns to keep to.
  public var width = 80
  /// Tables nested deeper than this show as `{…}`.
  public var depth = 4
  /// Entries of one table that are shown.
  public var entries = 60
  /// Whether to colour strings, numbers and constants.
  public var usesColor = false

  /// A printer for a terminal of 80 columns without colours.
  public init() {}

  /// The text of one value for a terminal; a top-level string has no quotes.
  public func text(of value: LuaReference, in state: LuaState) throws -> String {
    try state.reserve(8)
    value.push(onto: state)
    defer { state.pop() }
    if state.type(at: -1) == .string { return visible(state.bytes(at: -1)) }
    return try render(state, indent: 0, path: []).text
  }

  /// Laid-out text with its visible width.
  private struct Piece {
    var text: String
    var width: Int
    var isOneLine = true

    init(_ text: String) {
      self.text = text
      width = text.count
      isOneLine = !text.contains("\n")
    }
  }

  private enum Color: String {
    case string = "32"
    case number = "36"
    case constant = "35"
    case other = "2"
  }

  private func colored(_ text: String, _ color: Color) -> Piece {
    var piece = Piece(text)
    if usesColor { piece.text = "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" }
    return piece
  }

  /// The value on top of the stack.
  private func render(
    _ state: LuaState, indent: Int, path: [UnsafeRawPointer?]
  ) throws -> Piece {
    switch state.type(at: -1) {
    case .nil, .boolean: return colored(state.display(at: -1), .constant)
    case .number: return colored(state.display(at: -1), .number)
    case .string: return colored(quoted(state.bytes(at: -1)), .string)
    case .table where !hasOwnText(state):
      return try renderTable(state, indent: indent, path: path)
    case .function: return colored(try functionText(state, isNested: !path.isEmpty), .other)
    default: return Piece(indented(visible(state.display(at: -1)), by: indent))
    }
  }

  /// Text of several lines keeps its shape inside a table.
  private func indented(_ text: String, by indent: Int) -> String {
    text.replacing("\n", with: "\n" + String(repeating: " ", count: indent))
  }

  private func hasOwnText(_ state: LuaState) -> Bool {
    guard cl_push_metatable(state.current, -1) else { return false }
    cl_get_field(state.current, -1, "__tostring")
    defer { state.pop(2) }
    return state.type(at: -1) != .nil
  }

  private func functionText(_ state: LuaState, isNested: Bool) throws -> String {
    let reference = try state.reference(at: -1)
    let known = try state.documentation(of: reference)
    if let known { return "function: \(known.name)" }
    return isNested ? "function" : state.display(at: -1)
  }

  /// Maximum bytes of a string to show.
  private static let stringBytes = 4000

  private func quoted(_ bytes: [UInt8]) -> String {
    var end = min(bytes.count, Self.stringBytes)
    while end < bytes.count, end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    var escaped: [UInt8] = []
    for byte in bytes[..<end] {
      if byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\"") {
        escaped.append(UInt8(ascii: "\\"))
      }
      escaped.append(byte)
    }
    return "\"\(visible(escaped, keepsLines: false))\(end < bytes.count ? "…" : "")\""
  }

  private func renderTable(
    _ state: LuaState, indent: Int, path: [UnsafeRawPointer?]
  ) throws -> Piece {
    let address = cl_address(state.current, -1)
    if path.contains(address) { return colored("<cycle>", .other) }
    if path.count >= depth { return colored("{…}", .other) }
    let items = try items(of: state, indent: indent + 2, path: path + [address])
    guard !items.isEmpty else { return Piece("{}") }
    return join(items, indent: indent)
  }

  private struct Item {
    var piece: Piece
    var isListed: Bool
  }

  /// The entries of the table on top, `[1]`, `[2]`, … first and without their keys.
  private func items(
    of state: LuaState, indent: Int, path: [UnsafeRawPointer?]
  ) throws -> [Item] {
    try state.reserve(8)
    let table = cl_top(state.current)
    try state.fillLazyTable(at: table)
    defer { cl_set_top(state.current, table) }
    cl_push_keys(state.current, table)
    let count = Int(cl_length(state.current, table + 1))
    var items: [Item] = []
    for position in 0..<min(count, entries) {
      cl_get_index(state.current, table + 1, Int64(position + 1))
      let isListed = items.count == position && isInteger(state, position + 1)
      let key = isListed && items.allSatisfy(\.isListed) ? "" : keyText(state) + " = "
      cl_get(state.current, table)
      var piece = try render(state, indent: indent, path: path)
      if !piece.isOneLine, !key.isEmpty, state.type(at: -1) != .table {
        piece.text = "\n" + String(repeating: " ", count: indent) + piece.text
      }
      piece.text = key + piece.text
      piece.width += key.count
      items.append(Item(piece: piece, isListed: key.isEmpty))
      state.pop()
    }
    if count > entries {
      items.append(Item(piece: colored("… \(count - entries) more", .other), isListed: true))
    }
    return items
  }

  private func isInteger(_ state: LuaState, _ n: Int) -> Bool {
    cl_is_integer(state.current, -1) && cl_integer(state.current, -1) == n
  }

  private func keyText(_ state: LuaState) -> String {
    guard state.type(at: -1) == .string else { return "[\(visible(state.display(at: -1)))]" }
    let name = state.text(at: -1)
    return name.isIdentifier ? name : "[\(quoted(state.bytes(at: -1)))]"
  }

  /// One line if it fits; else a line per entry, short list entries sharing lines.
  private func join(_ items: [Item], indent: Int) -> Piece {
    let total = items.reduce(2) { $0 + $1.piece.width + 2 }
    var result = Piece("{" + items.map(\.piece.text).joined(separator: ", ") + "}")
    result.width = total - 2
    result.isOneLine = items.allSatisfy(\.piece.isOneLine)
    if result.isOneLine, indent + result.width <= width { return result }
    let margin = String(repeating: " ", count: indent + 2)
    var text = "{\n" + margin
    var column = indent + 2
    var previous: Item?
    for item in items {
      if let last = previous {
        text += ","
        let shares = last.isListed && item.isListed && last.piece.isOneLine && item.piece.isOneLine
        if shares, column + item.piece.width + 2 <= width {
          text += " "
          column += 2
        } else {
          text += "\n" + margin
          column = indent + 2
        }
      }
      text += item.piece.text
      column += item.piece.width
      previous = item
    }
    result.text = text + "\n" + String(repeating: " ", count: indent) + "}"
    result.isOneLine = false
    return result
  }
}
