// Tables whose fields are computed when they are first read: parts of an object that hold more than
// a script mostly asks for. To scripts and to `Argument` they are tables like others.

import CLua

/// What the parts of an object are as tables.
///
/// A field is computed by the first read and kept in the table. What looks at a table as a whole
/// (`pairs`, an assignment, printing, JSON) has all fields computed first.
public final class LazyTables {
  /// The value of a field, nil for none.
  public typealias Read =
    (_ owner: LuaReference, _ position: Int, _ name: String) throws -> LuaValue

  let names: [String]
  let read: Read
  /// From a table to `{owner, position}`, which does not keep the table alive.
  let parts: LuaReference
  let metatable: LuaReference

  init(_ names: [String], _ read: @escaping Read, parts: LuaReference, metatable: LuaReference) {
    (self.names, self.read, self.parts, self.metatable) = (names, read, parts, metatable)
  }
}

extension LuaState {
  /// Says of which fields lazy tables consist, and how one is computed.
  public func openLazyTables(_ names: [String], _ read: @escaping LazyTables.Read) throws {
    try reserve(8)
    cl_new_table(current, 0, 0)
    cl_new_table(current, 0, 1)
    push("k")
    cl_set_field(current, -2, "__mode")
    cl_set_metatable(current, -2)
    let parts = LuaReference(poppingFrom: self)
    guard let pairs = try globalReference("pairs") else { throw LuaError("'pairs' is missing") }
    cl_new_table(current, 0, 4)
    for function in metamethods(pairs) {
      let record = FunctionRecord(function, named: function.name, self: nil, in: self)
      cl_push_function(current, adopt(record), record.cName)
      cl_set_field(current, -2, function.name)
    }
    let metatable = LuaReference(poppingFrom: self)
    lazyTables = LazyTables(names, read, parts: parts, metatable: metatable)
  }

  private func metamethods(_ pairs: LuaReference) -> [Function] {
    let table = Parameter("table", .table, "the lazy table")
    let key = Parameter("key", .any, "the field")
    return [
      Function("__index", "Computes a field.", [table, key]) { call in
        guard call[2].kind == .string,
          let value = try call.state.lazyField(call[2].string(), at: call[1].index)
        else { return try call.result(LuaValue.nil) }
        let field = try call.state.reference(to: value)
        field.push(onto: call.state)
        cl_set_field(call.L, call[1].index, try call[2].string())
        return try call.result(.reference(field))
      },
      Function("__newindex", "Sets a field.", [table, key, Parameter("value", .any, "")]) { call in
        try call.state.fillLazyTable(at: call[1].index)
        let isNaN = try call[2].kind == .number && call[2].number().isNaN
        guard !call[2].isAbsent, !isNaN else {
          throw LuaError("index is \(isNaN ? "NaN" : "nil")")  // Lua itself would raise
        }
        cl_copy(call.L, call[2].index)
        cl_copy(call.L, call[3].index)
        cl_set(call.L, call[1].index)
        return call.nothing
      },
      Function("__pairs", "Walks over all fields.", [table]) { call in
        try call.state.fillLazyTable(at: call[1].index)
        call.state.pushNil()
        cl_set_metatable(call.L, call[1].index)  // or `pairs` would come here again
        let iterator = try call.state.callKeepingResults(pairs, [.reference(call[1].reference())])
        return try call.results(iterator.map { .reference($0) })
      },
    ]
  }

  /// The value of a field of a lazy table, which does not have it yet; nil for other tables and
  /// names.
  func lazyField(_ name: String, at index: Int32) throws -> LuaValue? {
    // By bytes: Swift's == is quadratic in combining marks, and a script may ask for any name.
    guard let lazy = lazyTables, lazy.names.contains(where: { $0.utf8.elementsEqual(name.utf8) }),
      let part = try part(at: index, lazy)
    else { return nil }
    return try lazy.read(part.owner, part.position, name)
  }

  /// Computes the fields of a lazy table that were not read yet; then it is a table like others.
  func fillLazyTable(at index: Int32) throws {
    guard let lazy = lazyTables, let part = try part(at: index, lazy) else { return }
    let table = absolute(index)
    for name in lazy.names {
      let isThere = cl_get_field(current, table, name) != LuaType.nil.code
      pop()
      guard !isThere else { continue }
      try push(lazy.read(part.owner, part.position, name))
      cl_set_field(current, table, name)
    }
    pushNil()
    cl_set_metatable(current, table)
  }

  /// What a lazy table is a part of; nil for other values.
  func part(
    at index: Int32, _ lazy: LazyTables
  ) throws -> (owner: LuaReference, position: Int)? {
    try reserve(6)
    let table = absolute(index)
    let top = cl_top(current)
    defer { cl_set_top(current, top) }
    guard type(at: table) == .table, cl_push_metatable(current, table) else { return nil }
    lazy.metatable.push(onto: self)
    guard cl_same(current, -1, -2) else { return nil }
    lazy.parts.push(onto: self)
    cl_copy(current, table)
    guard cl_get(current, -2) == LuaType.table.code else { return nil }
    let entry = cl_top(current)
    cl_get_index(current, entry, 2)
    let position = Int(cl_integer(current, -1))
    cl_get_index(current, entry, 1)
    return (LuaReference(poppingFrom: self), position)
  }
}

extension Call {
  /// A part of the object of a method, as a table whose fields are computed when they are read.
  public func lazyPart(_ position: Int) throws -> Results {
    guard let lazy = state.lazyTables else { throw LuaError("there are no lazy tables") }
    try state.reserve(8)
    try state.pushTable()
    lazy.metatable.push(onto: state)
    cl_set_metatable(L, -2)
    lazy.parts.push(onto: state)
    cl_copy(L, -2)
    try state.pushTable(list: 2)
    cl_copy(L, 1)
    cl_set_index(L, -2, 1)
    cl_push_integer(L, Int64(position))
    cl_set_index(L, -2, 2)
    cl_set(L, -3)
    state.pop()
    return Results(count: 1)
  }
}

extension LuaReference {
  /// The value that is stored with an object; see `Call.keep`.
  public func kept(in state: LuaState) throws -> LuaReference {
    try state.reserve(2)
    push(onto: state)
    defer { state.pop() }
    _ = cl_push_user_value(state.current, -1)
    return LuaReference(poppingFrom: state)
  }
}
