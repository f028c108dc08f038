// The arguments and results of a call, as seen by the function's body.

import CLua

/// One call of a documented function from Lua.
///
/// It is valid until the function returns; do not store it.
public struct Call {
  // Unowned without reference counting: the record lives as long as the state.
  unowned(unsafe) let record: FunctionRecord
  let L: OpaquePointer

  /// The state that makes the call.
  public var state: LuaState { record.state }
  /// 1 for a method, whose arguments are counted without self.
  var offset: Int32 { record.offset }

  /// The number of arguments given, self not included.
  public var count: Int { Int(cl_top(L) - offset) }

  /// The argument at a position from 1, self not included.
  public subscript(position: Int) -> Argument {
    Argument(
      record: record, L: L, index: Int32(truncatingIfNeeded: position) + record.offset,
      position: position)
  }

  /// The arguments from a position on.
  public func rest(from position: Int) -> [Argument] {
    position > count ? [] : (position...count).map { self[$0] }
  }

  /// The object that a method belongs to.
  public func this<Object: LuaObject>(_ type: Object.Type) throws -> Object {
    // Where self was checked, its slot holds an object, which may be freed by now.
    let pointer =
      record.checksSelf ? cl_checked_object(L, 1, type.tag) : cl_object(L, 1, type.tag)
    guard let pointer else {
      throw LuaError.argument(at: 1, "\(type.luaName) expected, got \(state.typeName(at: 1))")
    }
    return unsafeBitCast(pointer, to: Object.self)
  }

  /// No results.
  public var nothing: Results { Results(count: 0) }

  /// One number.
  public func result(_ value: Double) -> Results {
    cl_push_number(L, value)
    return Results(count: 1)
  }

  /// One integer.
  public func result(_ value: Int) -> Results {
    cl_push_integer(L, Int64(value))
    return Results(count: 1)
  }

  /// One boolean.
  public func result(_ value: Bool) -> Results {
    cl_push_boolean(L, value)
    return Results(count: 1)
  }

  /// One string.
  public func result(_ value: String) -> Results {
    state.push(value)
    return Results(count: 1)
  }

  /// One value: an object, a list, plain data.
  public func result(_ value: some LuaPushable) throws -> Results {
    try state.reserve(4)
    try value.push(onto: state)
    return Results(count: 1)
  }

  /// Plain data.
  public func result(_ value: LuaValue) throws -> Results {
    try state.push(value)
    return Results(count: 1)
  }

  /// Several values.
  public func results(_ values: [LuaValue]) throws -> Results {
    try state.reserve(Int32(clamping: values.count + 4))
    for value in values { try state.push(value) }
    return Results(count: Int32(values.count))
  }

  /// An argument unchanged: an object returns itself, a table keeps its identity.
  public func result(_ argument: Argument) throws -> Results {
    try state.reserve(1)
    cl_copy(L, argument.index)
    return Results(count: 1)
  }

  /// The object of a method, for chaining.
  public func selfResult() throws -> Results {
    try state.reserve(1)
    cl_copy(L, 1)
    return Results(count: 1)
  }

  /// `nil` and a message, for failures that a script expects, such as a missing file.
  public func failure(_ message: String) -> Results {
    cl_push_nil(L)
    state.push(message)
    return Results(count: 2)
  }
}
