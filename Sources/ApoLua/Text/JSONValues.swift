// Lua data as JSON and back. Lua has neither null nor a difference between an empty list and an
// empty object, so this file says what becomes of them.

import Core
import Lua
import Models
import Text

/// What stands for JSON's `null` where a Lua table cannot do without: `apo.json.null`.
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
  /// A JSON value for scripts. Members that are null are left out unless `keepingNull`; in lists
  /// they are `apo.json.null`, so that the others keep their positions.
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

  /// Throws where there is no memory for so many values, or the user wants to stop.
  fileprivate static func check(_ count: Int) throws {
    try Memory.checkBuffer(bytes: count * MemoryLayout<LuaTable.Field>.stride, for: "JSON")
    try Interrupt.check()
  }
}

/// Turns Lua data into JSON; an error says where in the data it is.
struct JSONEncoder {
  /// Whether bytes that are not UTF-8 are replaced rather than refused.
  var isLossy = false

  /// The value as JSON; an empty table is an empty list.
  func encode(_ value: LuaValue, at path: String = "") throws -> JSON {
    switch value {
    case .nil: return .null
    case .boolean(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .number(let value):
      guard value.isFinite else { throw refusal("the number \(value)", path) }
      return .double(value)
    case .string(let text): return .string(text)
    case .bytes(let bytes):
      guard isLossy else { throw refusal("a string that is not valid UTF-8", path) }
      return .string(String(decoding: bytes, as: UTF8.self))
    case .table(let table): return try encode(table, at: path)
    case .object(let object): throw refusal("an \(type(of: object).luaName)", path)
    case .reference(let reference):
      if reference.object(JSONNull.self) != nil { return .null }
      throw refusal("a \(reference.description.prefix { $0 != ":" })", path)
    }
  }

  private func encode(_ table: LuaTable, at path: String) throws -> JSON {
    try LuaValue.check(table.list.count + table.fields.count)
    if table.fields.isEmpty {
      return .array(
        try table.list.enumerated().map { try encode($1, at: "\(path)[\($0 + 1)]") })
    }
    guard table.list.isEmpty else {
      throw refusal("a table with both a list and names", path)
    }
    let dot = path.isEmpty ? "" : "."
    return .object(
      try table.fields.map { JSON.Member($0.name, try encode($0.value, at: path + dot + $0.name)) })
  }

  private func refusal(_ what: String, _ path: String) -> LuaError {
    LuaError("\(what) cannot be written as JSON\(path.isEmpty ? "" : " (field '\(path)')")")
  }
}
