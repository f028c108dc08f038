// Reads parts of a table argument, one at a time and raw: for tables too large or too irregular to
// declare as options or copy as a `LuaValue`.

import CLua

/// Placeholder declaration for parts of a table.
private let part = Parameter("value", .any, "a part of a table")

extension Argument {
  /// The number of values at 1, 2, … of a table; 0 for anything else.
  public var length: Int {
    cl_type(L, index) == LuaType.table.code ? Int(cl_length(L, index)) : 0
  }

  /// Calls `body` with the value at a position of a table; absent where there is none.
  public func withElement<Output>(
    _ position: Int, _ body: (Argument) throws -> Output
  ) throws -> Output {
    try withValue({ cl_get_index(L, index, Int64(position)) }, body)
  }

  /// Calls `body` with the value of a field of a table; absent where there is none.
  public func withField<Output>(
    _ name: String, _ body: (Argument) throws -> Output
  ) throws -> Output {
    try withValue({ cl_get_field(L, index, name) }) { field in
      guard field.isAbsent, let value = try state.lazyField(name, at: index) else {
        return try body(field)
      }
      try state.push(value)
      cl_replace(L, field.index)
      return try body(field)
    }
  }

  private func withValue<Output>(
    _ push: () -> Int32, _ body: (Argument) throws -> Output
  ) throws -> Output {
    try state.reserve(4)
    if cl_type(L, index) == LuaType.table.code { _ = push() } else { cl_push_nil(L) }
    let slot = cl_top(L)
    defer { cl_set_top(L, slot - 1) }
    return try body(Argument(record: record, L: L, index: slot, position: 1, field: part))
  }

  /// The object of which a lazy table is a part, and the position; nil for other tables.
  public func lazyPart<Object: LuaObject>(of type: Object.Type) throws -> (Object, Int)? {
    guard let lazy = state.lazyTables, let part = try state.part(at: index, lazy),
      let object = part.owner.object(type)
    else { return nil }
    return (object, part.position)
  }

  /// Calls `body` with the value of a field that was read or set before; absent where a lazy table
  /// has not computed it.
  public func withKnownField<Output>(
    _ name: String, _ body: (Argument) throws -> Output
  ) throws -> Output {
    try withValue({ cl_get_field(L, index, name) }, body)
  }

  /// The names among the keys of a table, in the order of `pairs`.
  public func fieldNames() throws -> [String] {
    guard cl_type(L, index) == LuaType.table.code else { return [] }
    try state.reserve(2)
    try state.fillLazyTable(at: index)
    cl_push_keys(L, index)
    let keys = cl_top(L)
    defer { cl_set_top(L, keys - 1) }
    return (0..<cl_length(L, keys)).compactMap { position in
      cl_get_index(L, keys, Int64(position + 1))
      defer { state.pop() }
      return cl_type(L, -1) == LuaType.string.code ? state.text(at: -1) : nil
    }
  }

  /// What the value is, as error texts say it: `table`, `apo.Tensor`.
  public var typeName: String { state.typeName(at: index) }
}

extension LuaState {
  /// The value at a position of a table, raw; nil when it is nil or there is no table.
  public func element(_ position: Int, of table: LuaReference) throws -> LuaReference? {
    try reserve(4)
    table.push(onto: self)
    defer { pop() }
    guard type(at: -1) == .table else { return nil }
    if cl_get_index(current, -1, Int64(position)) == LuaType.nil.code {
      pop()
      return nil
    }
    return LuaReference(poppingFrom: self)
  }

  /// Creates a Lua value from plain data, to keep or return several times.
  public func reference(to value: LuaValue) throws -> LuaReference {
    try push(value)
    return LuaReference(poppingFrom: self)
  }
}

/// A table from values to integers with weak keys.
public final class WeakIntegers {
  private let table: LuaReference
  /// The state that the table belongs to, which must outlive it.
  public unowned let state: LuaState

  /// An empty table.
  public init(_ state: LuaState) throws {
    self.state = state
    try state.reserve(4)
    cl_new_table(state.current, 0, 0)
    cl_new_table(state.current, 0, 1)
    state.push("k")
    cl_set_field(state.current, -2, "__mode")
    cl_set_metatable(state.current, -2)
    table = LuaReference(poppingFrom: state)
  }

  /// The integer of a table or object; nil if none was set.
  public subscript(key: Argument) -> Int? {
    get throws {
      let L = key.L
      try key.state.reserve(3)
      let top = cl_top(L)
      defer { cl_set_top(L, top) }
      table.push(onto: key.state)
      cl_copy(L, key.index)
      cl_get(L, top + 1)
      return cl_is_integer(L, -1) ? Int(cl_integer(L, -1)) : nil
    }
  }

  /// Sets the integer of a table or object; nil removes it.
  public func set(_ key: Argument, _ value: Int?) throws {
    guard key.kind == .table || key.kind == .object else {
      // A raw assignment to a nil or NaN key would raise.
      throw LuaError("a table or an object expected as key, got \(key.typeName)")
    }
    let L = key.L
    try key.state.reserve(4)
    let top = cl_top(L)
    defer { cl_set_top(L, top) }
    table.push(onto: key.state)
    cl_copy(L, key.index)
    if let value { cl_push_integer(L, Int64(value)) } else { cl_push_nil(L) }
    cl_set(L, top + 1)
  }
}
