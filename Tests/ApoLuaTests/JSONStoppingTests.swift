import Core
import Lua
import TestSupport
import Testing
import Text

@testable import ApoLua

@Suite("What makes JSON of a script's values asks whether to stop", .serialized)
struct JSONStoppingTests {
  private static let count = 1 << 20

  static func value(named isNamed: Bool) -> LuaValue {
    isNamed
      ? .table(LuaTable(fields: (0..<count).map { ("\($0)", .boolean(true)) }))
      : .list([LuaValue](repeating: .integer(1), count: count))
  }

  @Test("Bytes that are no UTF-8 are replaced in pieces as in one", arguments: 0..<4)
  func lossy(_ shift: Int) throws {
    let pieces: [UInt8] = [0xFF, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 0x80, 0xC3, 0x61]
    let bytes =
      [UInt8](repeating: 0x61, count: shift)
      + (0..<200_000).map { pieces[($0 * 7 + $0 / 1000) % 11] }
      + (0..<200_000).map { pieces[$0 % 11] }
    let encoder = JSONEncoder(isLossy: true)
    var json = JSON.null
    #expect(try Polls.during { json = try encoder.encode(.bytes(bytes)) } >= 6)
    #expect(json == .string(String(decoding: bytes, as: UTF8.self)))
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
