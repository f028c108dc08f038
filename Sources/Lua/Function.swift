// A function for scripts as one value: name, types, prose and code. The argument checks, the
// error texts, `help` and the manual all come from it.

import CLua

/// A documented function that scripts can call.
public struct Function: @unchecked Sendable {
  // Sendable so that it can be a global constant; its body runs on the state's thread.

  /// Runs after the arguments are checked.
  public typealias Body = (Call) throws -> Results

  /// The name a script uses, without module or class.
  public var name: String
  /// What it does, in one sentence.
  public var summary: String
  /// What else the manual says.
  public var details: String
  /// The arguments, self not included.
  public var parameters: [Parameter]
  /// The results.
  public var returns: [Returned]
  /// Lines of Lua that show its use.
  public var example: String
  /// The version that introduced it.
  public var since: String
  let body: Body

  /// A documented function.
  ///
  /// The body is called with arguments that have the declared types. It throws rather than
  /// traps, whatever their values.
  public init(
    _ name: String, _ summary: String, _ parameters: [Parameter] = [], returns: [Returned] = [],
    details: String = "", example: String = "", since: String = "0.1", body: @escaping Body
  ) {
    self.name = name
    self.summary = summary
    self.details = details
    self.parameters = parameters
    self.returns = returns
    self.example = example
    self.since = since
    self.body = body
  }
}

/// What a function returns to Lua: values it has pushed. Made by `Call`.
public struct Results {
  let count: Int32
}

/// A function registered in a state: its checks are prepared and C knows its address.
final class FunctionRecord {
  /// Fast check for most arguments: their Lua type or class.
  struct QuickCheck {
    /// Types that need no further check.
    var accepted: UInt16 = 0
    var takesIntegers = false
    var tag: UnsafeRawPointer?

    /// The union of two checks; of two classes the first.
    func union(_ other: QuickCheck) -> QuickCheck {
      QuickCheck(
        accepted: accepted | other.accepted, takesIntegers: takesIntegers || other.takesIntegers,
        tag: tag ?? other.tag)
    }
  }

  unowned(unsafe) let state: LuaState
  let function: Function
  let body: Function.Body
  let parameters: [Parameter]
  let isVariadic: Bool
  let qualifiedName: String
  /// How many arguments come before the declared ones: 1 for a method.
  let offset: Int32
  let selfType: ValueType?
  /// Whether the first argument is an object when the body runs.
  let checksSelf: Bool
  let cName: UnsafeMutablePointer<CChar>
  private let checks: UnsafeMutableBufferPointer<QuickCheck>

  /// The name of the property that it assigns, for messages.
  let property: String?

  init(
    _ function: Function, named qualifiedName: String, self type: ValueType?,
    property: String? = nil, in state: LuaState
  ) {
    self.property = property
    self.function = function
    body = function.body
    parameters = function.parameters
    isVariadic = function.parameters.last?.isVariadic ?? false
    self.qualifiedName = qualifiedName
    self.state = state
    selfType = type
    offset = type == nil ? 0 : 1
    let bytes = function.name.utf8CString
    cName = .allocate(capacity: bytes.count)
    cName.initialize(from: Array(bytes), count: bytes.count)
    checksSelf = type?.quickCheck.tag != nil
    let quick = ((type.map { [$0.quickCheck] } ?? []) + function.parameters.map(\.quickCheck))
    checks = .allocate(capacity: quick.count)
    _ = checks.initialize(from: quick)
  }

  deinit {
    checks.deallocate()
    cName.deallocate()
  }

  /// Checks the arguments on the stack against the declaration.
  func check(_ L: OpaquePointer) throws {
    for index in checks.indices {
      let slot = Int32(truncatingIfNeeded: index + 1)
      let check = checks[index]
      if let tag = check.tag, cl_object(L, slot, tag) != nil { continue }
      if check.accepted & LuaType(code: cl_type(L, slot)).bit != 0 { continue }
      if check.takesIntegers, cl_is_integer(L, slot) { continue }
      try checkClosely(slot)
    }
    if isVariadic { try checkRest(L) }
  }

  private func checkClosely(_ slot: Int32) throws {
    if let selfType, slot == 1 {
      try state.checkArgument(at: 1, type: selfType, isOptional: false)
    } else {
      let parameter = function.parameters[Int(slot - offset) - 1]
      try state.checkArgument(
        at: slot, type: parameter.type, isOptional: parameter.isOptional,
        function: function.name, property: property)
    }
  }

  private func checkRest(_ L: OpaquePointer) throws {
    guard let last = function.parameters.last else { return }
    let first = offset + Int32(function.parameters.count) + 1
    var slot = first
    while slot <= cl_top(L) {
      try state.checkArgument(at: slot, type: last.type, isOptional: false, function: function.name)
      slot += 1
    }
  }
}

extension Parameter {
  var quickCheck: FunctionRecord.QuickCheck {
    var check = type.quickCheck
    if isOptional { check.accepted |= LuaType.nil.bit | LuaType.none.bit }
    return check
  }
}

extension ValueType {
  /// What the basic type alone decides.
  var quickCheck: FunctionRecord.QuickCheck {
    switch self {
    case .any: .init(accepted: .max)
    case .boolean: .init(accepted: LuaType.boolean.bit)
    case .number(nil, nil): .init(accepted: LuaType.number.bit)
    case .string: .init(accepted: LuaType.string.bit)
    case .table: .init(accepted: LuaType.table.bit)
    case .function: .init(accepted: LuaType.function.bit)
    case .instance(_, let tag?): .init(tag: tag)
    case .integer(nil, nil): .init(takesIntegers: true)
    case .oneOf(let types): types.map(\.quickCheck).reduce(.init()) { $0.union($1) }
    default: .init()
    }
  }
}

/// Runs a bound function. C calls it, and raises its error after it has returned.
func runFunction(_ context: UnsafeMutableRawPointer?, _ L: OpaquePointer?) -> Int32 {
  guard let context, let L else { return 0 }
  return Unmanaged<FunctionRecord>.fromOpaque(context)._withUnsafeGuaranteedRef { record in
    do {
      if record.state.isReleased { throw LuaError("\(record.function.name): the program ends") }
      try record.check(L)
      return try record.body(Call(record: record, L: L)).count
    } catch {
      let named = (error as? LuaError)?.naming("a function that \(record.qualifiedName) calls")
      return record.state.fail(with: named ?? error)
    }
  }
}

extension LuaState {
  /// Pushes the error for C to raise; returns the status that says how.
  fileprivate func fail(with error: any Error) -> Int32 {
    cl_set_top(current, 0)
    let error = error as? LuaError ?? LuaError("\(error)")
    if case .lua = error.origin {
      if let value = error.value { value.push(onto: self) } else { push(error.message) }
      if let traceback = error.traceback {
        push(traceback)
        cl_set_traceback(current)
      }
      return Int32(CL_RETHROW)
    }
    push(error.message)
    guard case .argument(let index) = error.origin else { return Int32(CL_RAISE) }
    cl_push_integer(current, Int64(index))
    return Int32(CL_ARGUMENT)
  }
}
