// One argument or option, read as its declared type.

import CLua

/// An argument of a call, or a field of an options table.
///
/// Reading an absent one gives its declared default. Like the call, it must not be stored.
public struct Argument {
  // Unowned without reference counting: the record lives as long as the state and holds the
  // declarations of all fields.
  unowned(unsafe) let record: FunctionRecord
  let L: OpaquePointer
  let index: Int32
  let position: Int
  /// The declaration of a field of an options table.
  unowned(unsafe) var field: Parameter?

  var state: LuaState { record.state }

  var parameter: Parameter? {
    if let field { return field }
    let count = record.parameters.count
    return position <= count ? record.parameters[position - 1] : record.parameters.last
  }

  /// Whether the argument was omitted or nil.
  public var isAbsent: Bool {
    let code = cl_type(L, index)
    return code <= 0
  }

  /// The argument if it was given or has a default; nil otherwise.
  public var ifPresent: Argument? {
    isAbsent && (parameter?.defaultValue.isNil ?? true) ? nil : self
  }

  /// A number.
  public func number() throws -> Double {
    if cl_type(L, index) == LuaType.number.code { return cl_number(L, index) }
    return try defaulted(\.asNumber, "number")
  }

  /// An integer.
  public func integer() throws -> Int {
    if cl_is_integer(L, index) { return Int(cl_integer(L, index)) }
    return try defaulted(\.asInteger, "integer")
  }

  /// A boolean.
  public func boolean() throws -> Bool {
    if cl_type(L, index) == LuaType.boolean.code { return cl_boolean(L, index) }
    return try defaulted(\.asBoolean, "boolean")
  }

  /// A string; bytes that are not UTF-8 are replaced, see `bytes()`.
  public func string() throws -> String {
    if cl_type(L, index) == LuaType.string.code {
      try state.checkRoom(ofString: index)
      return state.text(at: index)
    }
    return try defaulted(\.asString, "string")
  }

  /// The bytes of a string.
  public func bytes() throws -> [UInt8] {
    if cl_type(L, index) == LuaType.string.code {
      try state.checkRoom(ofString: index)
      return state.bytes(at: index)
    }
    return try defaulted(\.stringBytes, "string")
  }

  /// An object of a class.
  public func object<Object: LuaObject>(_ type: Object.Type) throws -> Object {
    if let object = state.object(type, at: index) { return object }
    throw unreadable(as: type.luaName)
  }

  /// The object if the argument is of that class, else nil.
  public func ifObject<Object: LuaObject>(_ type: Object.Type) -> Object? {
    state.object(type, at: index)
  }

  /// The value as plain data; see `LuaValue`.
  public func value() throws -> LuaValue {
    guard isAbsent else { return try state.value(at: index) }
    return parameter?.defaultValue ?? .nil
  }

  /// The Lua value itself: a function to call, a table to return.
  public func reference() throws -> LuaReference { try state.reference(at: index) }

  /// The basic type of the argument.
  public var kind: Kind {
    Kind(rawValue: cl_type(L, index)) ?? .other
  }

  /// Lua's basic types.
  public enum Kind: Int32 {
    /// Omitted.
    case none = -1
    /// The types by their Lua names.
    case `nil`, boolean, other, number, string, table, function, object
  }

  private func defaulted<Value>(
    _ read: (LuaValue) -> Value?, _ expected: String
  ) throws -> Value {
    guard isAbsent, let value = parameter.flatMap({ read($0.defaultValue) }) else {
      throw unreadable(as: expected)
    }
    return value
  }

  func unreadable(as expected: String) -> LuaError {
    let name = parameter.map { "'\($0.name)'" } ?? "an argument"
    return LuaError("\(name): \(expected) expected, got \(state.typeName(at: index))")
  }
}

/// The fields of an options table, checked against its declaration.
public struct Options {
  unowned(unsafe) let record: FunctionRecord
  let L: OpaquePointer
  /// The index of the table; nil if absent, when everything has its default.
  let table: Int32?
  let fields: [Parameter]

  /// The field of a declared name.
  public subscript(name: String) -> Argument {
    get throws {
      try record.state.reserve(2)
      if let table { cl_get_field(L, table, name) } else { cl_push_nil(L) }
      return Argument(
        record: record, L: L, index: cl_top(L), position: 0,
        field: fields.first { $0.name == name })
    }
  }
}

extension Argument {
  /// The fields of an options table; an absent one has all defaults.
  public func options() throws -> Options {
    var fields: [Parameter]?
    if case .options(let declared)? = parameter?.type { fields = declared }
    if case .oneOf(let types)? = parameter?.type {
      for case .options(let declared) in types { fields = declared }
    }
    guard let fields else { throw unreadable(as: "options") }
    return Options(record: record, L: L, table: isAbsent ? nil : index, fields: fields)
  }
}
