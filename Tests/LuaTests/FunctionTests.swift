import Lua
import Testing

/// Everything of the bridge, one test at a time: live objects and Ctrl-C are counted per process.
@Suite("Bridge", .serialized) enum BridgeTests {}

extension BridgeTests {
  @Suite("Bound functions")
  struct FunctionTests {
    @Test(
      "Errors read as Lua's own and name the script's line",
      arguments: [
        (
          "test.vector{1,2}:dot(test.vector{1,2,3})",
          "bad argument #1 to 'dot' (size 2 expected, got 3)"
        ),
        ("test.vector{1}:dot(3)", "bad argument #1 to 'dot' (apo.Vector expected, got number)"),
        ("test.vector{1}:dot()", "bad argument #1 to 'dot' (apo.Vector expected, got no value)"),
        ("test.vector{1}.size(1)", "bad argument #1 to 'size' (apo.Vector expected, got number)"),
        (
          "local v = test.vector{1}; v:free(); v:size()",
          "calling 'size' on bad self (apo.Vector was freed)"
        ),
        (
          "local v = test.vector{1}; v:free(); v:free(); test.vector{1}:dot(v)",
          "bad argument #1 to 'dot' (apo.Vector was freed)"
        ),
        ("test.vector{1}:scale('2')", "bad argument #1 to 'scale' (number expected, got string)"),
        ("test.vector('x')", "bad argument #1 to 'vector' (list of numbers expected, got string)"),
        (
          "test.vector{1, 'x'}",
          "bad argument #1 to 'vector' (list of numbers expected, got string at position 2)"
        ),
        ("test.count(0)", "bad argument #1 to 'count' (integer of at least 1 expected, got 0)"),
        ("test.count(2.5)", "bad argument #1 to 'count' (integer of at least 1 expected, got 2.5)"),
        (
          "test.count(2, 'left')",
          "bad argument #2 to 'count' (one of 'up', 'down' expected, got 'left')"
        ),
        (
          "test.count(2, false)",
          "bad argument #2 to 'count' (one of 'up', 'down' expected, got boolean)"
        ),
        ("test.sum(1, 2, '3')", "bad argument #3 to 'sum' (number expected, got string)"),
        ("test.run{}", "run: option 'beta' is missing (a number)"),
        (
          "test.run{bta = 2}",
          "run: unknown option 'bta'; did you mean 'beta'? known options: beta, eval, n, names, verbose"
        ),
        ("test.run{beta = 'x'}", "run: option 'beta' must be a number, got string"),
        ("test.run{beta = 1, n = 0}", "run: option 'n' must be an integer of at least 1, got 0"),
        (
          "test.run{beta = 1, bta = 2}",
          "run: unknown option 'bta'; did you mean 'beta'? known options: beta, eval, n, names, verbose"
        ),
        (
          "test.run{beta = 1, 5}",
          "run: unknown option '[1]'; known options: beta, eval, n, names, verbose"
        ),
        ("test.run{beta = 1, verbose = 1}", "run: option 'verbose' must be a boolean, got number"),
        (
          "test.run{beta = 1, names = {1}}",
          "run: option 'names' must be a list of strings, got number at position 1"
        ),
        (
          "test.run{beta = 1, eval = {evry = 1}}",
          "run: unknown option 'eval.evry'; did you mean 'every'? known options: every"
        ),
        (
          "test.run{beta = 1, eval = {}}", "run: option 'eval.every' is missing (an integer)"
        ),
        ("test.run()", "bad argument #1 to 'run' (table expected, got no value)"),
        ("test.nested{{1, 2}, {3}}", "element [2] has 1 elements, expected 2"),
        ("test.nested{{1, 2}, {3, 'x'}}", "element [2][2] is a string, expected a number"),
        ("test.nested{{1}, 2}", "element [2] is a number, expected a list"),
        ("return test.vector{1}[2]", "index 2 out of range 1 to 1"),
        ("return test.vector{1}.sise", "apo.Vector has no field 'sise' (did you mean 'size'?)"),
        (
          "return test.vector{1}[{}]",
          "bad index (integer expected, got table)"
        ),
        (
          "test.vector{1}.size = 2",
          "apo.Vector: field 'size' cannot be set; fields that can be: first"
        ),
        ("test.vector{1}.first = 'x'", "field 'apo.Vector.first' must be a number, got string"),
        (
          "return test.vector{1} + test.vector{1} + 'x'",
          "bad argument #2 to 'add' (number or apo.Vector expected, got string)"
        ),
        ("test.echo{[true] = 1}", "a table with the key true is neither a list nor has names only"),
        (
          "local t = {}; t[1] = t; test.echo(t)", "a table is nested too deeply, or contains itself"
        ),
      ])
    func errorText(code: String, expected: String) throws {
      let text = try message(code)
      #expect(text == "s:1: \(expected)")
    }

    @Test("Results, defaults, properties and operators")
    func results() throws {
      let state = try makeState()
      try state.run(
        """
        local v = test.vector{1, 2, 3}
        assert(#v == 3 and v:size() == 3 and v[2] == 2.0 and v.first == 1)
        v.first = 5
        assert(v:dot(v) == 38 and tostring(v:scale(2)) == "[10.0, 4.0, 6.0]")
        assert((v + v)[1] == 10)
        local n, mode = test.count(2.0)
        assert(n == 2 and math.type(n) == "integer" and mode == "up")
        assert(test.sum() == 0 and test.sum(1, 2, 3) == 6)
        local n, beta, verbose = test.run{beta = 0.5, verbose = false}
        assert(n == 8 and beta == 0.5 and verbose == false)
        local t = test.nested{{1, 2, 3}, {4, 5, 6}}
        assert(#t == 2 and t[2][3] == 6)
        assert(test.nested(4) == 4 and #test.nested{} == 0)
        local seen = {}
        for x in test.each{7, 8} do seen[#seen + 1] = x end
        assert(seen[1] == 7 and seen[2] == 8 and #seen == 2)
        assert(test.echo("\\xff\\0z") == "\\xff\\0z" and test.echo{a = {1, "b"}}.a[2] == "b")
        assert(getmetatable(v) == "apo.Vector" and not pcall(setmetatable, v, {}))
        do local w <close> = test.vector{1} end
        """)
    }

    @Test("A failing call leaks nothing, whatever it held")
    func noLeaks() throws {
      let state = try makeState()
      let before = Vector.live
      try state.run(
        """
        local v = test.vector{1, 2}
        for _ = 1, 100000 do pcall(v.dot, v, test.nested) end
        for _ = 1, 10000 do pcall(v.dot, v, test.vector{1}) end
        for _ = 1, 10000 do pcall(test.apply, function() error(v) end) end
        v = nil
        """)
      state.collectGarbage()
      #expect(Vector.live == before)
    }

    @Test("An error through Swift keeps its value, its position and its first traceback")
    func nestedErrors() throws {
      let state = try makeState()
      try state.run(
        """
        local object = setmetatable({}, {__tostring = function() return "mine" end})
        local ok, e = pcall(test.apply, function() error(object) end)
        assert(not ok and e == object)
        """)
      do {
        try state.run("local function inner() error('boom') end\ntest.apply(inner)", name: "=s")
      } catch let error as LuaError {
        #expect(error.message == "s:1: boom")
        #expect(error.traceback?.contains("s:1: in function <s:1>") == true)
      }
    }
  }
}
