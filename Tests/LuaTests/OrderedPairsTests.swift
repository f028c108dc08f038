import Lua
import Testing

extension BridgeTests {
  /// Random tables, against their keys by `next` put into order by comparing.
  @Suite("pairs")
  struct OrderedPairsTests {
    private static let support = """
      local random, ranks = math.random, {number = 1, string = 2, boolean = 3}
      local objects = {}
      for i = 1, 20 do objects[i] = {} end

      function is_before(a, b)
        local left, right = ranks[type(a)], ranks[type(b)]
        if left ~= right then return left < right end
        if type(a) == "boolean" then return not a and b end
        return a < b
      end

      function some_key()
        local kind = random(12)
        if kind <= 3 then return random(50) end
        if kind == 4 then return random(-5, 5) / 2 end
        if kind == 5 then return random(2) == 1 end
        if kind == 6 then return objects[random(20)] end
        if kind == 7 then return ("prefix.long.enough."):rep(random(2)) .. random(100) end
        if kind == 8 then return string.char(random(0, 255)):rep(random(0, 12)) end
        if kind == 9 then return math.maxinteger - random(0, 3) end
        if kind == 10 then return ({2.0 ^ 63, -1 / 0, math.mininteger})[random(3)] end
        return "k" .. random(2000)
      end

      function some_table()
        local t, kind = {}, random(5)
        if kind == 1 then
          for i = 1, random(0, 40) do t[i] = i end
          if #t > 0 and random(2) == 1 then t[random(#t)] = nil end
          return t
        end
        for i = 1, kind == 2 and random(0, 3000) or random(0, 60) do t[some_key()] = i end
        for i = 1, kind == 3 and random(20) or 0 do t[i] = i end
        return t
      end

      function sorted(t)
        local keys, others = {}, {}
        for k in next, t do
          local list = ranks[type(k)] and keys or others
          list[#list + 1] = k
        end
        table.sort(keys, is_before)
        table.move(others, 1, #others, #keys + 1, keys)
        return keys
      end
      """

    private func run(_ script: String, rounds: Int) throws {
      let state = try makeState()
      try state.run("math.randomseed(3)\n" + Self.support)
      let body = try state.load(script, name: "=test")
      for _ in 0..<rounds { try state.call(body) }
    }

    @Test("All keys come in the fixed order, also a second time, nested and after others")
    func order() throws {
      try run(
        """
        local random, t = math.random, some_table()
        local expected = sorted(t)
        local function check(depth)
          local i = 0
          for k, v in pairs(t) do
            i = i + 1
            assert(k == expected[i] and math.type(k) == math.type(expected[i]) and v == t[k])
            if depth < 2 and random(20) == 1 then check(depth + 1) end
            if random(40) == 1 then
              for _ = 1, 20 do for _ in pairs{a = 1, b = 2, c = 3, [random()] = 4} do break end end
            end
            if random(50) == 1 then collectgarbage "step" end
            if random(3) == 1 then t[k] = v end
            if depth == 1 and random(30) == 1 then return end
          end
          assert(i == #expected)
        end
        check(0)
        check(0)
        """, rounds: 150)
    }

    @Test("The iterator is a function of its arguments, for keys that are not there as well")
    func function() throws {
      try run(
        """
        local random, t = math.random, some_table()
        local expected, f = sorted(t), pairs{a = 1}
        for _ = 1, 20 do
          local i = random(0, #expected)
          assert(f(t, expected[i]) == expected[i + 1])
          local k = some_key()
          if t[k] == nil and type(k) ~= "table" then
            local successor
            for _, other in ipairs(expected) do
              if type(other) == "table" or is_before(k, other) then
                successor = other
                break
              end
            end
            assert(f(t, k) == successor)
          end
        end
        local ok, message = pcall(f, {b = 1}, 0 / 0)
        assert(not ok and message:find "invalid key to 'next'")
        assert(not pcall(f, {b = 1}, {}) and not pcall(f, nil))
        """, rounds: 150)
    }

    @Test("Keys may be cleared meanwhile, and the collector and finalizers run")
    func clearing() throws {
      try run(
        """
        local random, t = math.random, some_table()
        for _ = 1, 3 do
          setmetatable({}, {__gc = function() for _ in pairs(some_table()) do end end})
        end
        local expected, gone, i = sorted(t), {}, 0
        for k, v in pairs(t) do
          repeat i = i + 1 until not gone[expected[i]]
          assert(k == expected[i] and v == t[k])
          if random(2) == 1 then t[k], gone[k] = nil, true end
          local other = expected[random(#expected)]
          if random(5) == 1 then t[other], gone[other] = nil, true end
          if random(20) == 1 then collectgarbage "step" end
        end
        for j = i + 1, #expected do assert(gone[expected[j]]) end
        """, rounds: 150)
    }

    @Test("A table that was left in the middle is collected; __pairs may yield")
    func rest() throws {
      try run(
        """
        local weak = setmetatable({}, {__mode = "v"})
        do
          local t = {x = 1, y = 2, z = 3}
          weak[1] = t
          for k in pairs(t) do if k == "y" then break end end
        end
        collectgarbage()
        assert(weak[1] == nil)
        local mine = setmetatable({}, {__pairs = function()
          coroutine.yield(7)
          return next, {9}, nil
        end})
        local co = coroutine.wrap(function() for k in pairs(mine) do coroutine.yield(k) end end)
        assert(co() == 7 and co() == 1)
        """, rounds: 2)
    }
  }
}
