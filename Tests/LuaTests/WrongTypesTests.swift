import Lua
import TestSupport
import Testing

extension BridgeTests {
  @Suite("Wrong types")
  struct WrongTypesTests {
    @Test("Every bound function survives every value in every position")
    func everyFunction() throws {
      let state = try makeState()
      state.collectGarbage()
      let before = Vector.live
      let vector = try state.call(state.load("v = test.vector{1, 2}", name: "=s"))
      #expect(vector.isEmpty)
      let object = try #require(try state.globalReference("v"))
      var driver = WrongTypes(state)
      try driver.run(extra: [.reference(object)])
      #expect(driver.badMessages == [])
      #expect(driver.calls > 1000 && driver.errors > 500)
      state.collectGarbage()
      #expect(Vector.live == before + 1)
    }
  }
}
