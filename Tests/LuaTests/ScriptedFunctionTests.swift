import Lua
import Testing

extension BridgeTests {
  @Suite("Functions declared in Lua")
  struct ScriptedFunctionTests {
    static let loopScript = """
      local documented, fail = require "apo.documented", require "apo.fail"
      local M = {}
      local Set = documented{class = "apo.Set", summary = "A set."}
      Set.add = documented{
        name = "apo.Set:add", summary = "Adds.",
        parameters = {{name = "n", type = "integer", minimum = 1, default = 5, text = "what"}},
        call = function(self, n) self[#self + 1] = n; return self end,
      }
      M.set = documented{
        name = "apo.set", summary = "Makes a set.",
        call = function() return setmetatable({}, Set) end,
      }
      M.train = documented{
        name = "apo.train", summary = "Trains.",
        options = {
          {name = "policy", type = "apo.Set", text = "the policy"},
          {name = "steps", type = "integer", minimum = 1, default = 10, text = "steps"},
          {name = "mode", one_of = {"fast", "slow"}, default = "fast", text = "how"},
          {name = "target", type = "function or number", optional = true, text = "target"},
          {name = "eval", optional = true, text = "evaluation", fields = {
            {name = "every", type = "integer", default = 20, text = "steps between"}}},
        },
        returns = {{type = "table", text = "what happened"}},
        call = function(options)
          if options.steps == 13 then fail("13 brings bad luck") end
          if options.steps == 14 then test.count(0) end
          if options.target then options.target() end
          return options
        end,
      }
      return M
      """

    func libraryState() throws -> LuaState {
      let state = try makeState()
      try state.addLibrary { name in
        name == "apo.loop" ? Script(name: name, text: Array(Self.loopScript.utf8)) : nil
      }
      try state.run("loop = require 'apo.loop'")
      return state
    }

    @Test(
      "Errors name the line of the user's script",
      arguments: [
        ("loop.train{}", "train: option 'policy' is missing (an apo.Set)"),
        ("loop.train{policy = {}}", "train: option 'policy' must be an apo.Set, got table"),
        (
          "loop.train{policy = loop.set(), stps = 3}",
          "train: unknown option 'stps'; did you mean 'steps'? known options: eval, mode, policy, steps, target"
        ),
        (
          "loop.train{policy = loop.set(), mode = 'x'}",
          "train: option 'mode' must be one of 'fast', 'slow', got 'x'"
        ),
        (
          "loop.train{policy = loop.set(), target = 'x'}",
          "train: option 'target' must be a function or number, got string"
        ),
        (
          "loop.train{policy = loop.set(), eval = {evry = 1}}",
          "train: unknown option 'eval.evry'; did you mean 'every'? known options: every"
        ),
        ("loop.train()", "bad argument #1 to 'train' (table expected, got no value)"),
        ("loop.set():add(0)", "bad argument #1 to 'add' (integer of at least 1 expected, got 0)"),
        ("loop.set().add(3)", "bad argument #1 to 'add' (apo.Set expected, got number)"),
        ("loop.train{policy = loop.set(), steps = 13}", "13 brings bad luck"),
        (
          "loop.train{policy = loop.set(), steps = 14}",
          "bad argument #1 to 'count' (integer of at least 1 expected, got 0)"
        ),
        ("loop.train{policy = loop.set(), target = function() error('mine') end}", "mine"),
        (
          "require('apo.documented'){name = 'x'}",
          "documented: option 'summary' is missing (a string)"
        ),
        (
          "require('apo.documented'){name = 'x', summary = 'x', parameters = {{name = 'n', type = 'nubmer'}}, call = print}",
          "x: unknown type 'nubmer'"
        ),
      ])
    func errorText(code: String, expected: String) throws {
      #expect(try message(code, in: libraryState()) == "s:1: \(expected)")
    }

    @Test("Defaults are filled into a copy of the options")
    func defaults() throws {
      try libraryState().run(
        """
        local given = {policy = loop.set(), eval = {}}
        local o = loop.train(given)
        assert(o ~= given and given.steps == nil)
        assert(o.steps == 10 and o.mode == "fast" and o.eval.every == 20 and o.target == nil)
        assert(o.policy == given.policy)
        assert(loop.set():add():add(7)[1] == 5)
        assert(tostring(loop.set()):find("^apo.Set"))
        local co = coroutine.wrap(function()
          return loop.train{policy = loop.set(), target = function() coroutine.yield("inside") end}
        end)
        assert(co() == "inside" and co().steps == 10)
        """)
    }

    @Test("They are documented as compiled functions are")
    func documentation() throws {
      let state = try libraryState()
      let names = state.documented.map(\.name)
      #expect(names.contains("apo.train") && names.contains("apo.Set:add"))
      let functions = try state.documentedFunctions().filter { $0.0.name == "apo.train" }
      #expect(functions.count == 1)
      #expect(functions[0].0.function.summary == "Trains.")
    }

    @Test("A library file with a fault names itself")
    func brokenLibrary() throws {
      let state = try makeState()
      try state.addLibrary { Script(name: $0, text: Array("local x = = 1".utf8)) }
      #expect(
        try message("require 'apo.broken'", in: state)
          == "[apo] broken.lua:1: unexpected symbol near '='")
    }
  }
}
