// Calls documented functions with what they do not expect. Used by the tests of the bridge and
// of the whole module: whatever happens, it is an error with a text, never a trap.

import Lua

/// Tries every documented function of a state with wrong values.
public struct WrongTypes {
  private let state: LuaState
  private let skip: Set<String>
  /// Calls made so far.
  public private(set) var calls = 0
  /// Errors seen so far.
  public private(set) var errors = 0
  /// Messages that do not say anything.
  public private(set) var badMessages: [String] = []

  /// A driver for the state.
  ///
  /// - Parameter skipping: full names of functions that must not be called, such as one that
  ///   would write files or wait for input.
  public init(_ state: LuaState, skipping: Set<String> = []) {
    self.state = state
    skip = skipping
  }

  /// Calls each function with each value in each position, others being nil or that value too,
  /// and each option with each value.
  ///
  /// - Parameter extra: objects of the module under test, beside plain Lua values.
  public mutating func run(rounds: Int = 1, extra: [LuaValue] = []) throws {
    let values = try plainValues() + extra
    for (documented, function) in try state.documentedFunctions()
    where !skip.contains(documented.name) {
      for _ in 0..<rounds { attempt(documented, function, with: values) }
    }
  }

  private mutating func attempt(
    _ documented: FunctionDocumentation, _ function: LuaReference, with values: [LuaValue]
  ) {
    let positions = documented.function.parameters.count + (documented.selfType == nil ? 1 : 2)
    for value in values {
      for position in 0..<positions {
        call(function, Array(repeating: .nil, count: position) + [value], documented.name)
        call(function, Array(repeating: value, count: position + 1), documented.name)
      }
      for parameter in documented.function.parameters {
        guard case .options(let fields) = parameter.type else { continue }
        for field in fields {
          let table = LuaValue.table(LuaTable(fields: [(field.name, value)]))
          call(function, [table], documented.name)
          for other in values { call(function, [other, table], documented.name) }
        }
      }
    }
  }

  private mutating func call(_ function: LuaReference, _ arguments: [LuaValue], _ name: String) {
    calls += 1
    do {
      _ = try state.callKeepingResults(function, arguments)
    } catch let error as LuaError {
      errors += 1
      if error.message.count < 8 { badMessages.append("\(name): '\(error.message)'") }
    } catch {
      badMessages.append("\(name): \(error)")
    }
  }

  private func plainValues() throws -> [LuaValue] {
    let made = try state.load(
      """
      local function fail() error("an odd object was asked") end
      return function() error("a function was called") end, coroutine.create(print), io.stdout,
        setmetatable({}, {__index = fail, __len = fail, __tostring = fail, __name = "odd"}),
        debug.getregistry and print
      """, name: "=values")
    let references = try state.callKeepingResults(made).map { LuaValue.reference($0) }
    return references + [
      .nil, true, false, 0, -1, 3, .integer(.max), .integer(.min), 0.5, .number(.nan),
      .number(.infinity), -1e308, 1e15, "", "text", "2", .bytes([0xFF, 0, 0xC3]), [], [1, 2],
      [[1, 2], [3]], ["a", "b"], [.nil, 1], ["unknown": 1], [0.5, "x"],
    ]
  }
}
