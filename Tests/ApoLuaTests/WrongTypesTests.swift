import Foundation
import Lua
import TestSupport
import Testing

@testable import ApoLua

@Suite("Wrong types in the whole module")
struct ModuleWrongTypesTests {
  /// Not called: they write to, or remove, what their arguments name, or wait.
  static let skipped: Set<String> = [
    "apo.help", "fail", "apo.json.write", "apo.Model:save", "apo.Optimizer:save",
    "apo.system.append",
    "apo.system.database", "apo.system.drop_torn_line", "apo.system.lock", "apo.system.make_folder",
    "apo.system.remove_folder", "apo.system.rename", "apo.system.sleep", "apo.system.start",
    "apo.system.truncate",
    "apo.system.working_folder", "apo.system.write_file", "apo.sockets.read_line",
    "apo.sockets.serve",
  ]

  @Test("No documented function traps, whatever it is given")
  func everyFunction() async throws {
    // In a process of its own: a trap is a failed test, and the engine belongs to one thread.
    let run = await #expect(
      processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]
    ) {
      let state = try makeInterpreter(ignoringEnvironment: true)
      try state.run(
        """
        io.stdout:setvbuf("full")
        local apo = require "apo"
        t = apo.tensor{{1, 2}, {3, 4}}
        m = apo.new_model{model_type = "llama", hidden_size = 8, num_hidden_layers = 1,
          num_attention_heads = 2, intermediate_size = 8,
          tokenizer = apo.char_tokenizer{alphabet = "0123456789+="}, seed = 1}
        r = m:generate({"1+1="}, {n = 2, max_tokens = 3})
        o = apo.optim.adamw(m)
        d = apo.dataset{{prompt = "a"}, {prompt = "b"}}
        s = apo.schedule.constant{lr = 1}
        """)
      let objects = try ["t", "m", "r", "o", "d", "s"].compactMap { name in
        try state.globalReference(name).map { LuaValue.reference($0) }
      }
      var driver = WrongTypes(state, skipping: ModuleWrongTypesTests.skipped)
      try driver.run(extra: objects)
      for message in driver.badMessages { print("bad:", message) }
      print(driver.calls > 10_000 && driver.errors > 5_000 ? "done" : "too few")
    }
    let output = String(decoding: run?.standardOutputContent ?? [], as: UTF8.self)
    #expect(output.hasSuffix("done\n"))
    #expect(!output.contains("bad:"), "\(output.suffix(2000))")
  }
}
