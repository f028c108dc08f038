import Foundation
import Lua
import Testing

extension BridgeTests {
  @Suite("Interrupts")
  struct InterruptTests {
    /// A state with `interrupt()`, which does what Ctrl-C does, and a compiled loop.
    func interruptible() throws -> LuaState {
      let state = try makeState()
      let interrupt = Function("interrupt", "Types Ctrl-C.") { call in
        call.state.interrupt()
        return call.nothing
      }
      let loop = Function("loop", "Computes for ever.") { call in
        call.state.interrupt()
        while !LuaState.isInterrupted {}
        throw LuaError.interrupted
      }
      try state.setGlobal("interrupt", to: .reference(state.makeFunction(interrupt)))
      try state.setGlobal("loop", to: .reference(state.makeFunction(loop)))
      return state
    }

    @Test(
      "Stops what runs",
      arguments: [
        "interrupt() while true do end",
        "interrupt() while true do pcall(error) end",
        "while true do pcall(interrupt) end",
        "interrupt() local function f() return f() end f()",
        "local co = coroutine.create(function() interrupt() while true do end end) "
          + "while true do coroutine.resume(co) end",
        "local f = function() interrupt() while true do pcall(error) end end "
          + "while true do pcall(coroutine.wrap(f)) end",
        "local co = coroutine.wrap(function() while true do coroutine.yield() end end) "
          + "interrupt() while true do co() end",
        "while true do pcall(loop) end",
        "coroutine.wrap(function() pcall(loop) while true do end end)()",
        "interrupt() while true do test.vector{1} end",
        "interrupt() table.sort({3, 2, 1}, function() while true do end end)",
      ])
    func stops(code: String) throws {
      let state = try interruptible()
      state.watchInterrupt()
      defer { state.unwatchInterrupt() }
      #expect(try message(code, in: state).hasSuffix("interrupted!"))
    }

    /// What a list's way between Lua and Swift has come to after it was told to stop.
    final class Progress: @unchecked Sendable { var isDone = false }

    /// The hook would raise as well, but only after the compiled function has ended.
    @Test(
      "Stops while long lists are read and made",
      arguments: ["integers", "numbers", "nested", "plain", "floats", "ints", "texts", "values"])
    func lists(_ way: String) throws {
      let state = try makeState()
      let (progress, count) = (Progress(), 200_000)
      let function = Function("f", "Does it.", [Parameter("list", .table, "a list")]) { call in
        call.state.interrupt()
        let result: any LuaPushable =
          switch way {
          case "integers": try call[1].integers()
          case "numbers": try call[1].numbers().map { Float($0) }
          case "nested": try call[1].nestedNumbers()
          case "plain": try call[1].value()
          case "floats": [Float](repeating: 1, count: count)
          case "ints": [Int](repeating: 1, count: count)
          case "texts": [String](repeating: "a", count: count)
          default: LuaValue.table(LuaTable(list: [LuaValue](repeating: .integer(1), count: count)))
          }
        if ["integers", "numbers", "nested", "plain"].contains(way) { progress.isDone = true }
        let given = try call.result(result)
        progress.isDone = true
        return given
      }
      try state.setGlobal("f", to: .reference(state.makeFunction(function)))
      state.watchInterrupt()
      defer { state.unwatchInterrupt() }
      let code = "local t = {} for i = 1, \(count) do t[i] = i end f(t)"
      #expect(try message(code, in: state).hasSuffix("interrupted!"))
      #expect(!progress.isDone)
    }

    @Test("Stops while the keys of a large table are put in order")
    func keys() throws {
      let state = try makeState()
      let names = Function("names", "How many.", [Parameter("table", .table, "a table")]) { call in
        let before = try call[1].fieldNames().count
        call.state.interrupt()
        let after = try call[1].fieldNames().count
        #expect((before, after) == (100_000, 0))
        return call.nothing
      }
      try state.setGlobal("names", to: .reference(state.makeFunction(names)))
      state.watchInterrupt()
      defer { state.unwatchInterrupt() }
      let code = "local t = {} for i = 1, 100000 do t['k' .. i] = i end names(t)"
      #expect(try message(code, in: state).hasSuffix("interrupted!"))
    }

    /// The hook does not run inside of one call; what is sorted replaces the list at the end.
    @Test("Stops a sort of a long list, which stays as it was")
    func sort() throws {
      let state = try makeState()
      let start = Function("start", "Types Ctrl-C in a moment.") { call in
        nonisolated(unsafe) let state = call.state
        Thread.detachNewThread {
          usleep(20_000)
          state.interrupt()
        }
        return call.nothing
      }
      try state.setGlobal("start", to: .reference(state.makeFunction(start)))
      state.watchInterrupt()
      let code = "t = {} for i = 1, 2000000 do t[i] = -i end start() table.sort(t)"
      #expect(try message(code, in: state).hasSuffix("interrupted!"))
      state.unwatchInterrupt()
      try state.run("assert(t[1] == -1 and t[2000000] == -2000000)")
    }

    @Test("Leaves nothing behind for the next chunk")
    func recovers() throws {
      let state = try interruptible()
      state.watchInterrupt()
      let text = try message("interrupt() while true do end", in: state)
      #expect(text == "s:1: interrupted!")
      state.watchInterrupt()
      let sum = try state.run("local s = 0 for i = 1, 1000 do s = s + i end return s")
      #expect(sum.first?.asInteger == 500_500)
      state.unwatchInterrupt()
    }
  }

  @Suite("Limits of time", .serialized)
  struct LimitTests {
    @Test(
      "Stop what runs, and only that",
      arguments: [
        "while true do end",
        "while true do pcall(error) end",
        "while true do pcall(function() while true do end end) end",
        "local function f() return f() end f()",
        "repeat until coroutine.resume(coroutine.create(function() while true do end end)) == 1",
        "local f = function() while true do pcall(error) end end "
          + "while true do pcall(coroutine.wrap(f)) end",
        "local co = coroutine.wrap(function() while true do coroutine.yield() end end) "
          + "while true do co() end",
        "local t <close> = setmetatable({}, {__close = function() while true do end end}) "
          + "while true do end",
        "while true do debug.sethook() end",
        "while true do pcall(loop) end",
      ])
    func stops(code: String) throws {
      let state = try makeState()
      let loop = Function("loop", "Computes for ever.") { call in
        while !LuaState.isInterrupted {}
        throw LuaError.interrupted
      }
      try state.setGlobal("loop", to: .reference(state.makeFunction(loop)))
      let chunk = try state.load(code, name: "=s")
      let error = try #require(try state.withTimeLimit(0.02) { try state.call(chunk) })
      #expect(error.message.contains("out of time") || code.contains("loop"))
      #expect(!LuaState.isInterrupted)
      let sum = try state.run("local s = 0 for i = 1, 100000 do s = s + i end return s")
      #expect(sum.first?.asInteger == 5_000_050_000)
    }

    @Test("Leave what ends in time alone, its errors too")
    func inTime() throws {
      let state = try makeState()
      #expect(try state.withTimeLimit(60) { try state.run("x = 1") } == nil)
      #expect(try state.withTimeLimit(.infinity) { try state.run("x = 2") } == nil)
      let text = try message("error('mine')", in: state)
      #expect(text == "s:1: mine")
      #expect(throws: LuaError.self) {
        _ = try state.withTimeLimit(60) { try state.run("error('mine')") }
      }
    }

    @Test("An inner limit ends by itself, an outer one ends both")
    func nested() throws {
      let state = try makeState()
      let loop = try state.load("while true do end", name: "=s")
      var inner: LuaError?
      var outer = try state.withTimeLimit(60) {
        inner = try state.withTimeLimit(0.02) { try state.call(loop) }
      }
      #expect(inner != nil && outer == nil && !LuaState.isInterrupted)
      outer = try state.withTimeLimit(0.02) {
        inner = try state.withTimeLimit(60) { try state.call(loop) }
        try state.call(loop)
      }
      #expect(inner != nil && outer != nil && !LuaState.isInterrupted)
    }

    @Test("A hook of the script is there again, and nothing stays behind")
    func leavesNothing() throws {
      let state = try makeState()
      try state.run("calls = 0 debug.sethook(function() calls = calls + 1 end, 'c')")
      let loop = try state.load("local t = {} while true do t = {t} pcall(error) end", name: "=s")
      #expect(try state.withTimeLimit(0.01) { try state.call(loop) } != nil)
      try state.run("calls = 0 local f = function() end f() f() assert(calls >= 2)")
      try state.run("debug.sethook() collectgarbage() collectgarbage()")
      let before = try state.run("return collectgarbage('count')").first?.asNumber ?? 0
      for _ in 0..<50 { #expect(try state.withTimeLimit(0.002) { try state.call(loop) } != nil) }
      try state.run("collectgarbage() collectgarbage()")
      let after = try state.run("return collectgarbage('count')").first?.asNumber ?? 0
      #expect(after < before + 100)
    }

    @Test("Ctrl-C passes through a limit")
    func interrupt() throws {
      let state = try makeState()
      state.watchInterrupt()
      defer { state.unwatchInterrupt() }
      let loop = try state.load("while true do end", name: "=s")
      #expect(throws: LuaError.self) {
        _ = try state.withTimeLimit(60) {
          state.interrupt()
          try state.call(loop)
        }
      }
      #expect(LuaState.isInterrupted)
    }
  }

  @Suite("Coroutines")
  struct CoroutineTests {
    @Test("resume and wrap behave as the stock ones")
    func behaviour() throws {
      try makeState().run(
        """
        local co = coroutine.create(function(a, b)
          local c = coroutine.yield(a + b)
          local d, e = coroutine.yield(c * 2)
          return d, e, coroutine.isyieldable()
        end)
        assert(select("#", coroutine.resume(co, 1, 2)) == 2)
        local ok, x = coroutine.resume(co, 10)
        assert(ok and x == 20)
        local ok, d, e, y = coroutine.resume(co, "d", nil)
        assert(ok and d == "d" and e == nil and y == true)
        local ok, m = coroutine.resume(co)
        assert(not ok and m == "cannot resume dead coroutine")
        local t = {}
        local ok, e = coroutine.resume(coroutine.create(function() error(t) end))
        assert(not ok and e == t)
        local closed = false
        local w = coroutine.wrap(function()
          local x <close> = setmetatable({}, {__close = function() closed = true end})
          coroutine.yield(1)
          error("inside")
        end)
        assert(w() == 1)
        local ok, m = pcall(w)
        assert(not ok and m:find("inside") and closed)
        assert(not pcall(coroutine.resume, 1) and not pcall(coroutine.wrap, 1))
        assert(coroutine.resume(coroutine.running()) == false)
        local sum = 0
        for i in coroutine.wrap(function() for i = 1, 5 do coroutine.yield(i) end end) do
          sum = sum + i
        end
        assert(sum == 15)
        """)
    }

    @Test("A call from a coroutine works on the coroutine's stack")
    func calls() throws {
      try makeState().run(
        """
        local co = coroutine.wrap(function()
          local v = test.vector{1, 2}
          coroutine.yield(test.apply(function() return v:dot(v) end))
          return test.apply(function() return pcall(coroutine.yield) end)
        end)
        assert(co() == 5)
        local ok, why = co()
        assert(ok == false and why:find("yield"))
        """)
    }
  }
}
