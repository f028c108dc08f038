// The declarations behind the values of a state: for `help`, the manual and tests.

import CLua

/// The documentation of a function, wherever it was declared.
public struct FunctionDocumentation {
  /// The name with its module or class: `apo.zeros`, `apo.Tensor:shape`.
  public let name: String
  /// Name, parameters, prose.
  public let function: Function
  /// The class whose method it is.
  public let selfType: ValueType?
}

/// A documented function, class or module.
public enum Documentation {
  /// A function or a method.
  case function(FunctionDocumentation)
  /// A class.
  case `class`(Class)
  /// A module.
  case module(Module)

  /// The full name.
  public var name: String {
    switch self {
    case .function(let function): function.name
    case .class(let declaration): declaration.name
    case .module(let module): module.name
    }
  }
}

extension FunctionRecord {
  var declaration: FunctionDocumentation {
    FunctionDocumentation(name: qualifiedName, function: function, selfType: selfType)
  }
}

extension LuaState {
  /// Creates the weak table from values to declarations.
  func openDocumentation() throws {
    try reserve(6)
    cl_new_table(current, 0, 0)
    cl_new_table(current, 0, 1)
    push("k")
    cl_set_field(current, -2, "__mode")
    cl_set_metatable(current, -2)
    documentationTable = LuaReference(poppingFrom: self)
  }

  /// Records the declaration of the value at an index from the top.
  func document(_ declaration: Documentation, at index: Int32) {
    documentation.append(declaration)
    documentationTable?.push(onto: self)
    cl_copy(current, index - 1)
    cl_push_integer(current, Int64(documentation.count))
    cl_set(current, -3)
    pop()
  }

  /// Every declaration, sorted by name.
  public var documented: [Documentation] { documentation.sorted { $0.name < $1.name } }

  /// The declaration of a value: a bound function, a module's table, an object.
  public func documentation(of value: LuaReference) throws -> Documentation? {
    try reserve(6)
    value.push(onto: self)
    defer { pop() }
    if type(at: -1) == .userdata {
      let name = className(at: -1)
      return documentation.first { if case .class = $0 { $0.name == name } else { false } }
    }
    documentationTable?.push(onto: self)
    cl_copy(current, -2)
    cl_get(current, -2)
    defer { pop(2) }
    guard cl_is_integer(current, -1) else { return nil }
    return documentation[Int(cl_integer(current, -1)) - 1]
  }

  /// Every documented function as a value, with its declaration, sorted by name.
  public func documentedFunctions() throws -> [(FunctionDocumentation, LuaReference)] {
    guard let table = documentationTable else { return [] }
    try reserve(8)
    table.push(onto: self)
    let slot = cl_top(current)
    defer { cl_set_top(current, slot - 1) }
    cl_push_keys(current, slot)
    var found: [(FunctionDocumentation, LuaReference)] = []
    for position in 0..<cl_length(current, slot + 1) {
      cl_get_index(current, slot + 1, Int64(position + 1))
      let value = LuaReference(poppingFrom: self)
      if case .function(let function)? = try documentation(of: value) {
        found.append((function, value))
      }
    }
    return found.sorted { $0.0.name < $1.0.name }
  }
}
