// Lua values that belong to a Swift object.

import CLua

extension Call {
  /// Stores an argument with the object of a method, for as long as the object lives.
  ///
  /// One value per object; a table holds more. The collector sees it, so the function that a
  /// script gave may refer to the object itself.
  public func keep(_ argument: Argument) throws {
    try state.reserve(2)
    cl_copy(L, argument.index)
    cl_set_user_value(L, 1)
  }

  /// The value stored with the object of a method.
  public func kept() throws -> LuaReference {
    try state.reserve(2)
    _ = cl_push_user_value(L, 1)
    return LuaReference(poppingFrom: state)
  }

  /// Stores a value with an object that is about to be returned.
  public func result(_ object: some LuaObject, keeping value: LuaReference) throws -> Results {
    try state.reserve(4)
    try object.push(onto: state)
    value.push(onto: state)
    cl_set_user_value(L, -2)
    return Results(count: 1)
  }
}
