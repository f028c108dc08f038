// Converts Lua messages and tools to JSON, for chat templates.
//
// A Lua table has no key order, and an empty one is both list and object; templates that print
// tools with `tojson` expose both. So keys follow the order of the published schemas, other keys
// come after them in byte order, and `properties`, `parameters` and `arguments` are objects. To
// control this, pass a JSON text, which is used unchanged.

import Core
import Lua
import Models
import Text

/// Reads messages, tools and other variables of a chat template.
struct ChatMessages {
  /// The function for error texts.
  let function: String

  /// A list of messages, from a table or a JSON text; each is an object with a role.
  func messages(_ argument: Argument) throws -> [JSON] {
    let value = try value(argument, "messages")
    guard case .array(let messages) = value else {
      let hint = value["role"] == nil ? "" : " (one message? Put it into a list: {message})"
      throw LuaError("\(function): a list of messages expected, got an object\(hint)")
    }
    return try messages.enumerated().map { try message($1, "message \($0 + 1)") }
  }

  private func message(_ message: JSON, _ place: String) throws -> JSON {
    guard case .object(let members) = message else {
      throw LuaError("\(function): \(place) must be a table with 'role' and 'content'")
    }
    switch message["role"] {
    case .string?: break
    case nil, .null?:
      let names = members.map(\.key).joined(separator: ", ")
      throw LuaError("\(function): \(place): field 'role' is missing (it has: \(names))")
    default: throw LuaError("\(function): \(place): field 'role' must be a string")
    }
    return withReasoning(message)
  }

  /// Reasoning has several names; transformers passes it to templates under two of them.
  private func withReasoning(_ message: JSON) -> JSON {
    let names = ["reasoning_content", "thinking", "reasoning"]
    let found = names.lazy.compactMap { message[$0] }.first { $0 != .null }
    guard let found else { return message }
    var message = message
    if message["thinking"] == nil { message.set("thinking", found) }
    message.set("reasoning_content", found)
    return message
  }

  /// A list of objects, such as tools; nil if omitted.
  func objects(_ argument: Argument, _ name: String) throws -> JSON {
    guard !argument.isAbsent else { return .null }
    let value = try value(argument, "option '\(name)'")
    guard case .array(let items) = value,
      items.allSatisfy({ if case .object = $0 { true } else { false } })
    else { throw LuaError("\(function): option '\(name)' must be a list of tables") }
    return value
  }

  /// Variables by name.
  func variables(_ argument: Argument, _ name: String) throws -> [JSON.Member] {
    guard !argument.isAbsent else { return [] }
    let value = try value(argument, "option '\(name)'")
    if case .object(let members) = value { return members }
    guard value == .array([]) else {
      throw LuaError("\(function): option '\(name)' must be a table with names")
    }
    return []
  }

  private func value(_ argument: Argument, _ place: String) throws -> JSON {
    do {
      if argument.kind == .string {
        guard let text = String(validating: try argument.bytes(), as: UTF8.self) else {
          throw LuaError("the JSON text is not valid UTF-8")
        }
        return try JSON.parse(text)
      }
      return arranged(try JSONEncoder().encode(argument.value()), under: "")
    } catch {
      throw LuaError("\(function): \(place): \(error)")
    }
  }

  private static let order = [
    "role", "content", "id", "type", "function", "name", "arguments", "enum", "items",
    "description",
    "parameters", "properties", "required", "return",
  ]

  private func arranged(_ value: JSON, under key: String) -> JSON {
    switch value {
    case .array([]) where ["properties", "parameters", "arguments"].contains(key.asName):
      return .object([])
    case .array(let items): return .array(items.map { arranged($0, under: "") })
    case .object(let members):
      let known = ["properties", "arguments"].contains(key.asName) ? [] : Self.order
      let place = { (key: String) in known.firstIndex(of: key.asName) ?? known.count }
      let sorted = members.enumerated().sorted {
        (place($0.element.key), $0.offset) < (place($1.element.key), $1.offset)
      }
      return .object(sorted.map { JSON.Member($1.key, arranged($1.value, under: $1.key)) })
    default: return value
    }
  }
}
