// Converts Lua data to JSON and back. Lua has no null and does not distinguish an empty list from
// an empty object; this file defines how they are mapped.

import Core
import Lua
import Models
import Text

/// Represents JSON's `null` where a Lua table needs one: `apo.json.null`.
final class JSONNull: LuaObject {
  static let luaName = "apo.json.Null"
}

let jsonNullClass = Class(
  JSONNull.self, "The value `null` of JSON.",
  methods: [
    Function("__tostring", "The text `null`.") { $0.result("null") },
    Function(
      "__eq", "Whether both are null.",
      [Parameter("a", .any, "a value"), Parameter("b", .any, "a value")]
    ) { call in
      let isNull = (1...2).allSatisfy { call[$0].ifObject(JSONNull.self) != nil }
      return call.result(isNull)
    },
  ])

extension LuaValue {
  /// A JSON value for scripts. Null members are dropped unless `keepingNull`; in lists they are
  /// `apo.json.null`, so the others keep their positions.
  init(_ json: JSON, keepingNull: Bool = false) throws {
    switch json {
    case .null: self = .object(JSONNull())
    case .bool(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .double(let value): self = .number(value)
    case .string(let text): self = .string(text)
    case .array(let elements):
      try Self.check(elements.count)
      self = .list(try elements.map { try LuaValue($0, keepingNull: keepingNull) })
    case .object(let members):
      try Self.check(members.count)
      let kept = keepingNull ? members : members.filter { $0.value != .null }
      self = .table(
        LuaTable(
          fields: try kept.map { ($0.key, try LuaValue($0.value, keepingNull: keepingNull)) }))
    }
  }

  /// Throws if there is no memory for so many values, or the user wants to stop.
  fileprivate static func check(_ count: Int) throws {
    try Memory.checkBuffer(bytes: count * MemoryLayout<LuaTable.Field>.stride, for: "JSON")
    try Interrupt.check()
  }
}

/// Converts Lua data to JSON; errors name the position in the data.
struct JSONEncoder {
  /// Whether bytes that are not UTF-8 are replaced rather than refused.
  var isLossy = false

  /// What cannot be written, and where: the innermost key first.
  private struct Refusal: Error {
    let what: String
    var keys: [String] = []

    var error: LuaError {
      let path = keys.reversed().joined()
      let place =
        path.isEmpty ? "" : " (field '\(path.hasPrefix(".") ? path.dropFirst() : path[...])')"
      return LuaError("\(what) cannot be written as JSON\(place)")
    }
  }

  /// The value as JSON; an empty table is an empty list.
  func encode(_ value: LuaValue) throws -> JSON {
    do { return try json(value) } catch let refusal as Refusal { throw refusal.error }
  }

  private func json(_ value: LuaValue) throws -> JSON {
    switch value {
    case .nil: return .null
    case .boolean(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .number(let value):
      guard value.isFinite else { throw Refusal(what: "the number \(value)") }
      return .double(value)
    case .string(let text): return .string(text)
    case .bytes(let bytes):
      guard isLossy else { throw Refusal(what: "a string that is not valid UTF-8") }
      return .string(try repaired(bytes))
    case .table(let table): return try json(table)
    case .object(let object): throw Refusal(what: "an \(type(of: object).luaName)")
    case .reference(let reference):
      if reference.object(JSONNull.self) != nil { return .null }
      throw Refusal(what: "a \(reference.description.prefix { $0 != ":" })")
    }
  }

  /// The text with what is no UTF-8 replaced, in pieces that end before a character.
  private func repaired(_ bytes: [UInt8]) throws -> String {
    var (text, start) = ("", 0)
    while start < bytes.count {
      try Interrupt.check()
      var end = min(bytes.count, start + Interrupt.interval)
      if end < bytes.count {
        let tail = (end - 3...end).last { bytes[$0] & 0xC0 != 0x80 }
        end = tail ?? end
      }
      text += String(decoding: bytes[start..<end], as: UTF8.self)
      start = end
    }
    return text
  }

  private func json(_ table: LuaTable) throws -> JSON {
    try LuaValue.check(table.list.count + table.fields.count)
    if table.fields.isEmpty {
      return .array(
        try entries(table.list) {
          try json($0)
        } key: { position, _ in
          "[\(position + 1)]"
        })
    }
    guard table.list.isEmpty else { throw Refusal(what: "a table with both a list and names") }
    return .object(
      try entries(table.fields) {
        JSON.Member($0.name, try json($0.value))
      } key: {
        ".\($1.name)"
      })
  }

  private func entries<Entry, Result>(
    _ entries: [Entry], _ json: (Entry) throws -> Result, key: (Int, Entry) -> String
  ) throws -> [Result] {
    var results: [Result] = []
    results.reserveCapacity(entries.count)
    for (position, entry) in entries.enumerated() {
      if position % Interrupt.interval == Interrupt.interval - 1 { try Interrupt.check() }
      do { results.append(try json(entry)) } catch var refusal as Refusal {
        refusal.keys.append(key(position, entry))
        throw refusal
      }
    }
    return results
  }
}
