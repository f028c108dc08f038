// Lua's own types, as numbers that C and Swift share.

import CLua

/// The basic type of a Lua value.
struct LuaType: Equatable {
  let code: Int32

  static let none = LuaType(code: -1)
  static let `nil` = LuaType(code: 0)
  static let boolean = LuaType(code: 1)
  static let number = LuaType(code: 3)
  static let string = LuaType(code: 4)
  static let table = LuaType(code: 5)
  static let function = LuaType(code: 6)
  static let userdata = LuaType(code: 7)

  /// A bit for sets of types.
  var bit: UInt16 { 1 << UInt16(truncatingIfNeeded: code + 1) }

  static func ~= (pattern: LuaType, value: LuaType) -> Bool { pattern.code == value.code }
}

extension LuaState {
  func type(at index: Int32) -> LuaType { LuaType(code: cl_type(current, index)) }
}
