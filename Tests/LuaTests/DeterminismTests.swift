import Lua
import Testing

extension BridgeTests {
  @Suite("Reproducible order")
  struct DeterminismTests {
    @Test("pairs visits numbers, strings, booleans, then the rest")
    func order() throws {
      let result = try makeState().run(
        """
        local f = function() end
        local t = {"one", "two", b = 1, a = 2, [10] = 3, [-1.5] = 4, [2^20] = 5, [true] = 6,
          [false] = 7, ab = 8, [f] = 9, [""] = 10, [3.25] = 11}
        local keys = {}
        for k in pairs(t) do keys[#keys + 1] = k == f and "f" or tostring(k) end
        return table.concat(keys, " ")
        """)
      #expect(result.first?.asString == "-1.5 1 2 3.25 10 1048576  a ab b false true f")
    }

    @Test("pairs keeps the language's promises")
    func contract() throws {
      try makeState().run(
        """
        local t = {x = 1, y = 2, z = 3, 10, 20}
        for k in pairs(t) do t[k] = nil end
        assert(next(t) == nil)
        local t, n = {a = 1, b = 2, c = 3}, 0
        for k in pairs(t) do n = n + 1; t.b, t.c = nil, nil end
        assert(n == 1)
        local t = {a = 1, b = 2}
        for k, v in pairs(t) do t[k] = v * 2 end
        assert(t.a == 2 and t.b == 4)
        local proxy = setmetatable({}, {__pairs = function() return next, {only = 1}, nil end})
        for k, v in pairs(proxy) do assert(k == "only" and v == 1) end
        for k in pairs{} do error("empty") end
        local ok, m = pcall(pairs)
        assert(not ok and m:find("table expected") or m:find("value expected"))
        local ok, m = pcall(function() for _ in pairs(nil) do end end)
        assert(not ok and m:find("table expected, got nil"), m)
        local s = 0
        for i, v in pairs{1, 2, 3} do s = s + i * v end
        assert(s == 14)
        """)
    }

    @Test("table.sort is stable and raises what the order function raises")
    func sorting() throws {
      try makeState().run(
        """
        local t = {}
        for i = 1, 1000 do t[i] = {key = (i * 7919) % 10, place = i} end
        table.sort(t, function(a, b) return a.key < b.key end)
        for i = 2, #t do
          local a, b = t[i - 1], t[i]
          assert(a.key < b.key or a.key == b.key and a.place < b.place)
        end
        local n = {3, 1, 2.5, -1}
        table.sort(n)
        assert(table.concat(n, " ") == "-1 1 2.5 3")
        local s = {"b", "a", "C"}
        table.sort(s, function(a, b) return a > b end)
        assert(table.concat(s) == "baC")
        table.sort({})
        table.sort({1})
        assert(not pcall(table.sort, {1, "x"}))
        assert(not pcall(table.sort, {1, 2}, 3))
        assert(not pcall(table.sort, {1, 2}, function() error("mine") end))
        table.sort({3, 1, 2}, function() return true end)
        """)
    }

    @Test("math.random follows the seed")
    func seeds() throws {
      let state = try makeState()
      state.seedRandom(7)
      let first = try state.run("return math.random(1000000), math.random()")
      state.seedRandom(7)
      let second = try state.run("return math.random(1000000), math.random()")
      #expect(first.map(\.description) == second.map(\.description))
    }
  }
}
