import Lua
import Testing

/// An object over storage that only the counters know of.
private final class Blob: LuaObject {
  static let luaName = "test.Blob"
  static let size: Int64 = 1 << 20
  nonisolated(unsafe) static var live: Int64 = 0
  nonisolated(unsafe) static var peak: Int64 = 0
  nonisolated(unsafe) static var allocated: Int64 = 0

  init() {
    Blob.live += Blob.size
    Blob.allocated += Blob.size
    Blob.peak = max(Blob.peak, Blob.live)
  }

  deinit { Blob.live -= Blob.size }

  static let declaration = Class(Blob.self, "A megabyte.", methods: [])
}

extension BridgeTests {
  @Suite("Memory")
  struct MemoryTests {
    func stateWithBlobs() throws -> LuaState {
      let state = try makeState()
      try state.register(Blob.declaration)
      state.setMemoryUsage { MemoryUsage(live: Blob.live, allocated: Blob.allocated) }
      let make = Function("blob", "A megabyte.") { call in try call.result(Blob()) }
      try state.setGlobal("blob", to: .reference(state.makeFunction(make)))
      (Blob.live, Blob.peak, Blob.allocated) = (0, 0, 0)
      return state
    }

    @Test("A loop of dropped objects stays flat, beside a large Lua heap too")
    func droppedObjects() throws {
      let state = try stateWithBlobs()
      try state.run(
        """
        local heap = {}
        for i = 1, 100000 do heap[i] = {i} end
        for i = 1, 5000 do local b = blob() end
        """)
      #expect(Blob.peak < 600 << 20)
    }

    @Test("Objects that grow old are found when the live bytes double")
    func oldObjects() throws {
      let state = try stateWithBlobs()
      try state.run("local ring = {} for i = 1, 5000 do ring[i % 64] = blob() end")
      #expect(Blob.peak < 1100 << 20)
    }

    @Test("close and free release at once, and twice does no harm")
    func release() throws {
      let state = try stateWithBlobs()
      try state.run(
        "for i = 1, 1000 do local b <close> = blob(); if i % 2 == 0 then b:free() end end")
      #expect(Blob.peak <= 2 << 20)
      #expect(Blob.live == 0)
    }

    @Test("Closing the state releases everything")
    func closing() throws {
      var state: LuaState? = try stateWithBlobs()
      try state?.run("kept = {blob(), blob()}")
      #expect(Blob.live == 2 << 20)
      state = nil
      #expect(Blob.live == 0)
    }

    @Test("A collection at every instruction breaks nothing")
    func stress() throws {
      try makeState().run(
        """
        debug.sethook(function() collectgarbage() end, "", 1)
        for i = 1, 20 do
          local v = test.vector{1, i}
          assert((v + v:scale(2)):dot(test.vector{1, 1}) == 3 + 3 * i)
          assert(test.nested{{i, 2}, {3, 4}}[1][1] == i)
          local n, beta = test.run{beta = i, names = {"a", "b"}, eval = {every = 3}}
          assert(beta == i and not pcall(test.run, {bta = 1}))
          assert(test.echo{a = {tostring(i)}, "x"}.a[1] == tostring(i))
          for x in test.each{i} do assert(x == i) end
          for k, w in pairs{b = 1, a = 2} do assert(w == (k == "a" and 2 or 1)) end
        end
        debug.sethook()
        """)
    }

    @Test("A string too large for memory is an error, not the end")
    func hugeString() throws {
      let text = try message("return ('x'):rep(1 << 46)")
      #expect(text.contains("not enough memory") || text.contains("resulting string too large"))
    }
  }
}
