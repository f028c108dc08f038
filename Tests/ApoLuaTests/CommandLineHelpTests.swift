import Lua
import Testing

@testable import ApoLua

@Suite("Help")
struct CommandLineHelpTests {
  static let function = Function(
    "train", "Trains a policy.",
    [
      Parameter("policy", .table, "what to train"),
      Parameter(
        "options",
        .options([
          Parameter("steps", .integer(minimum: 1), "how many steps to take at most", default: 8),
          Parameter("mode", .choice(["fast", "slow"]), "speed", optional: true),
        ]), "see below", optional: true),
    ],
    returns: [Returned(.number(), "the loss")], details: "Takes long.", example: "train{}"
  ) { $0.nothing }

  @Test("The text of a function has its signature, arguments, options and results")
  func functionText() throws {
    let state = try LuaState()
    _ = try state.makeTable(of: Module("apo", "", functions: [Self.function]))
    let documented = try #require(state.documented.first { $0.name == "apo.train" })
    #expect(
      HelpText(all: [], width: 60).text(of: documented) == """
        apo.train(policy, [options])

        Trains a policy.

        Takes long.

          policy  table  what to train

        Fields of options:
          steps  integer of at least 1 = 8
                how many steps to take at most
          mode   one of 'fast', 'slow', optional
                speed

        Returns number: the loss

        train{}
        """)
  }

  @Test("help finds functions, objects, modules and names")
  func finds() throws {
    let run = { (code: String) in
      try Binary.run(["-e", "local apo = require 'apo' " + code]).output
    }
    #expect(try run("apo.help(apo.help)").hasPrefix("apo.help([value])\n"))
    #expect(try run("apo.help(apo.tensor(1))").hasPrefix("apo.Tensor\n"))
    #expect(try run("apo.help 'apo.Tensor'").contains("Methods:\n"))
    #expect(try run("apo.help(apo)").contains("Functions:\n"))
    #expect(try run("apo.help(apo)").contains("\n  train  "))
    #expect(try run("apo.help 'apo.Dataset'").contains("\n  batches  "))
    #expect(
      try run("apo.help 'apo.tensr'") == "Nothing is called apo.tensr. Did you mean apo.tensor?\n")
    #expect(try run("apo.help(print)").hasSuffix("no documentation\n"))
    #expect(try run("apo.help()").contains("Ctrl-C"))
  }
}
