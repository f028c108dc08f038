import Core
import Lua
import TestSupport
import Testing

@testable import ApoLua

@Suite("What makes JSON of a script's values asks whether to stop", .serialized)
struct JSONStoppingTests {
  private static let count = 1 << 20

  static func value(named isNamed: Bool) -> LuaValue {
    isNamed
      ? .table(LuaTable(fields: (0..<count).map { ("\($0)", .boolean(true)) }))
      : .list([LuaValue](repeating: .integer(1), count: count))
  }

  @Test(arguments: [false, true])
  func encoding(_ isNamed: Bool) throws {
    let value = Self.value(named: isNamed)
    #expect(try Polls.during { _ = try JSONEncoder().encode(value) } >= 15)
    #expect(throws: Interrupted.byUser) {
      _ = try Polls.during(limit: 8) { _ = try JSONEncoder().encode(value) }
    }
  }
}
