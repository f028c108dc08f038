// A class for scripts as one value: methods, properties, operators and their documentation.

import CLua

/// A named value of an object, read as `object.name` and, with a setter, assigned.
public struct Property: @unchecked Sendable {
  // Sendable so that it can be part of a global constant.

  /// The name a script uses.
  public var name: String
  /// Its type.
  public var type: ValueType
  /// What it is, in one sentence.
  public var summary: String
  /// The strings that it can be, where it can only be some.
  public var values: [String]
  let get: Function.Body
  let set: Function.Body?

  /// A property; the setter finds the new value, already checked, at `call[1]`.
  public init(
    _ name: String, _ type: ValueType, _ summary: String, values: [String] = [],
    set: Function.Body? = nil, get: @escaping Function.Body
  ) {
    self.name = name
    self.type = type
    self.summary = summary
    self.values = values
    self.get = get
    self.set = set
  }
}

/// A documented class of Swift objects.
public struct Class: @unchecked Sendable {
  // Sendable so that it can be a global constant.

  /// The name in messages and in the manual.
  public let name: String
  /// What it is, in one sentence.
  public let summary: String
  /// What else the manual says.
  public let details: String
  /// Methods and metamethods; the latter's names start with two underscores.
  ///
  /// A binary operator (`__add`, …) declares both operands as parameters, since self may be
  /// either. `__index` and `__newindex` get the keys that are not names.
  public let methods: [Function]
  /// Named values.
  public let properties: [Property]
  let tag: UnsafeRawPointer?
  /// Whether its objects are Swift's and not tables of Lua.
  public var isCompiled: Bool { tag != nil }

  /// A class; `free`, `__close` and `__gc` are generated.
  public init(
    _ type: (some LuaObject).Type, _ summary: String, details: String = "",
    methods: [Function], properties: [Property] = []
  ) {
    name = type.luaName
    tag = type.tag
    self.summary = summary
    self.details = details
    self.methods = methods
    self.properties = properties
  }

  /// A class whose objects are Lua tables, for the manual and `help`.
  init(name: String, summary: String, details: String, properties: [Property] = []) {
    self.name = name
    self.summary = summary
    self.details = details
    methods = []
    self.properties = properties
    tag = nil
  }

  /// Operators whose self may be either operand.
  static let binaryOperators: Set = [
    "__add", "__sub", "__mul", "__div", "__mod", "__pow", "__idiv", "__band", "__bor", "__bxor",
    "__shl", "__shr", "__concat", "__eq", "__lt", "__le",
  ]

  var selfType: ValueType { .instance(name: name, tag: tag) }
}

extension LuaState {
  /// Registers a class, so that its objects can be passed to Lua.
  public func register(_ declaration: Class) throws {
    try registerSilently(declaration)
    documentation.append(.class(declaration))
  }

  /// Registers a class without documenting it.
  func registerSilently(_ declaration: Class) throws {
    try reserve(16)
    cl_new_class(current, declaration.tag, declaration.name)
    for function in declaration.methods { try addMethod(function, of: declaration) }
    cl_new_table(current, 0, 0)
    for property in declaration.properties { addGetter(property, of: declaration) }
    cl_new_table(current, 0, 0)
    for property in declaration.properties { addSetter(property, of: declaration) }
    for record in fallbacks(of: declaration) { cl_push_pointer(current, adopt(record)) }
    cl_finish_class(current, declaration.tag)
  }

  /// Stack: metatable, methods.
  private func addMethod(_ function: Function, of declaration: Class) throws {
    let isMetamethod = function.name.hasPrefix("__")
    if function.name == "__index" || function.name == "__newindex" { return }
    let isBinary = Class.binaryOperators.contains(function.name)
    let record = FunctionRecord(
      function, named: "\(declaration.name):\(function.name)",
      self: isBinary ? nil : declaration.selfType, in: self)
    try push(record)
    cl_set_field(current, isMetamethod ? -3 : -2, function.name)
  }

  private func addGetter(_ property: Property, of declaration: Class) {
    let getter = Function(property.name, property.summary, body: property.get)
    add(getter, of: declaration)
  }

  private func addSetter(_ property: Property, of declaration: Class) {
    guard let set = property.set else { return }
    let value = Parameter(property.name, property.type, "the new value")
    add(Function(property.name, property.summary, [value], body: set), of: declaration)
  }

  private func add(_ accessor: Function, of declaration: Class) {
    let record = FunctionRecord(
      accessor, named: "\(declaration.name).\(accessor.name)", self: declaration.selfType,
      property: "\(declaration.name).\(accessor.name)", in: self)
    cl_push_pointer(current, adopt(record))
    cl_set_field(current, -2, accessor.name)
  }

  /// Handlers for reading and assigning unknown names, then for keys that are not names.
  private func fallbacks(of declaration: Class) -> [FunctionRecord] {
    let read = missingField(of: declaration)
    let assign = fixedField(of: declaration)
    let declared = { name in declaration.methods.first { $0.name == name } }
    let all = [read, assign, declared("__index") ?? read, declared("__newindex") ?? assign]
    return all.map {
      FunctionRecord($0, named: declaration.name, self: declaration.selfType, in: self)
    }
  }

  private func missingField(of declaration: Class) -> Function {
    let names = declaration.methods.map(\.name) + declaration.properties.map(\.name) + ["free"]
    return Function("index", "", [Parameter("key", .any, "")]) { call in
      throw call[1].missingField(in: declaration.name, names: names)
    }
  }

  private func fixedField(of declaration: Class) -> Function {
    let settable = declaration.properties.filter { $0.set != nil }.map(\.name)
    let list = settable.isEmpty ? "" : "; fields that can be: \(settable.joined(separator: ", "))"
    let parameters = [Parameter("key", .any, ""), Parameter("value", .any, "")]
    return Function("assignment", "", parameters) { call in
      throw LuaError("\(declaration.name): \(call[1].keyText) cannot be set\(list)")
    }
  }
}

extension Argument {
  var keyText: String {
    kind == .string ? "field '\(state.text(at: index))'" : "[\(state.display(at: index))]"
  }

  func missingField(in name: String, names: [String]) -> LuaError {
    guard kind == .string else { return LuaError("\(name) cannot be indexed with \(keyText)") }
    let visible = names.filter { !$0.hasPrefix("_") }
    let hint = nearestName(to: state.text(at: index), in: visible)
    let question = hint.map { " (did you mean '\($0)'?)" } ?? ""
    return LuaError("\(name) has no \(keyText)\(question)")
  }
}
