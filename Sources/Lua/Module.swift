// A table of functions for `require`.

import CLua

/// A documented module, or a table of functions inside one.
public struct Module: @unchecked Sendable {
  // Sendable so that it can be a global constant.

  /// The full name: `apo`, `apo.optim`.
  public var name: String
  /// What it offers, in one sentence.
  public var summary: String
  /// What else the manual says.
  public var details: String
  /// Functions, called with a dot.
  public var functions: [Function]
  /// Classes whose objects the functions give.
  public var classes: [Class]
  /// Constants.
  public var constants: [LuaTable.Field]
  /// Tables inside the module, each under the last part of its name.
  public var modules: [Module]

  /// A module.
  public init(
    _ name: String, _ summary: String, details: String = "", functions: [Function] = [],
    classes: [Class] = [], constants: [LuaTable.Field] = [], modules: [Module] = []
  ) {
    self.name = name
    self.summary = summary
    self.details = details
    self.functions = functions
    self.classes = classes
    self.constants = constants
    self.modules = modules
  }

  var lastName: String { name.split(separator: ".").last.map(String.init) ?? name }
}

extension LuaState {
  /// Registers the classes of a module and builds its table.
  public func makeTable(of module: Module) throws -> LuaReference {
    try pushTable(of: module)
    return LuaReference(poppingFrom: self)
  }

  private func pushTable(of module: Module) throws {
    try reserve(8)
    for declaration in module.classes { try register(declaration) }
    cl_new_table(current, 0, Int32(clamping: module.functions.count + module.constants.count))
    for function in module.functions {
      let record = FunctionRecord(
        function, named: "\(module.name).\(function.name)", self: nil, in: self)
      try push(record)
      cl_set_field(current, -2, function.name)
    }
    for constant in module.constants {
      try push(constant.value)
      cl_set_field(current, -2, constant.name)
    }
    for inner in module.modules {
      try pushTable(of: inner)
      cl_set_field(current, -2, inner.lastName)
    }
    document(.module(module), at: -1)
  }

  /// Makes a function without a module, as a value.
  public func makeFunction(_ function: Function) throws -> LuaReference {
    try push(FunctionRecord(function, named: function.name, self: nil, in: self))
    return LuaReference(poppingFrom: self)
  }

  /// Pushes a function and remembers its declaration.
  func push(_ record: FunctionRecord) throws {
    try reserve(6)
    cl_push_function(current, adopt(record), record.cName)
    document(.function(record.declaration), at: -1)
  }

  /// Makes `require(name)` return a table created on first use.
  ///
  /// The table is registered before `complete` runs, so Lua files that complete it may require the
  /// module.
  public func preload(
    _ name: String, _ make: @escaping (LuaState) throws -> LuaReference,
    complete: @escaping (LuaState, LuaReference) throws -> Void = { _, _ in }
  ) throws {
    let loader = Function("loader", "Loads \(name).") { call in
      let table = try make(call.state)
      try call.state.setLoaded(name, to: table)
      try complete(call.state, table)
      return try call.result(table)
    }
    try reserve(6)
    cl_push_preload(current)
    let record = FunctionRecord(loader, named: "require", self: nil, in: self)
    cl_push_function(current, adopt(record), record.cName)
    cl_set_field(current, -2, name)
    pop()
  }

  private func setLoaded(_ name: String, to table: LuaReference) throws {
    try reserve(4)
    cl_push_loaded(current)
    table.push(onto: self)
    cl_set_field(current, -2, name)
    pop()
  }

  /// The field of a table, raw; nil when it is nil.
  public func field(_ name: String, of table: LuaReference) throws -> LuaReference? {
    try reserve(4)
    table.push(onto: self)
    defer { pop() }
    guard type(at: -1) == .table else { return nil }
    cl_get_field(current, -1, name)
    guard type(at: -1) != .nil else {
      pop()
      return nil
    }
    return LuaReference(poppingFrom: self)
  }
}
