import Foundation
import Lua
import TestSupport
import Testing

@testable import ApoLua

/// Runs the Lua files of specs/library, each in a state and a folder of its own.
@Suite("Script library", .serialized)
struct ScriptSpecs {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/specs"

  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/library")) ?? []).sorted()

  @Test("Specification", arguments: names)
  func run(name: String) throws {
    let text = try String(contentsOfFile: "\(Self.folder)/library/\(name)", encoding: .utf8)
    if text.contains("spec.fixtures") || text.contains("spec.training"), !Fixtures.areThere {
      return print("\(name) is skipped: it \(Fixtures.missing)")
    }
    try withTemporaryFolder { temporary in
      let state = try makeInterpreter(ignoringEnvironment: true)
      let support = try state.call(state.load(file: Self.folder + "/support.lua"))[0]
      var spec = support.asTable ?? LuaTable()
      spec.fields.append((name: "folder", value: .string(temporary)))
      spec.fields.append((name: "checkout", value: .string(Checkout.folder.path)))
      spec.fields.append((name: "program", value: .string(Binary.url.path)))
      spec.fields.append((name: "fixtures", value: .string(Fixtures.folder ?? "")))
      try state.call(state.load(text, name: "@\(name)"), [.table(spec)])
    }
  }

  @Test("Ctrl-C runs the clean-up once and still stops the script")
  func interrupt() throws {
    let state = try stoppable()
    let text = errorText {
      try state.run(
        """
        local apo = require "apo"
        apo.system.on_interrupt(function()
          stop()
          while true do end
        end, function() cleaned = (cleaned or 0) + 1 end)
        """)
    }
    #expect(text?.contains("interrupted!") == true)
    state.unwatchInterrupt()
    #expect(try state.global("cleaned").asInteger == 1)
  }

  @Test(
    "A training that Ctrl-C stopped goes on from its last step",
    .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
  func interruptedTraining() throws {
    try withTemporaryFolder { folder in
      let state = try stoppable()
      #expect(errorText { try state.run(training(in: folder)) }?.contains("interrupted!") == true)
      state.unwatchInterrupt()
      let checkpoints = try FileManager.default.contentsOfDirectory(atPath: folder + "/checkpoint")
      #expect(checkpoints == ["step-2"])
      let other = try makeInterpreter(ignoringEnvironment: true)
      let result = try other.run(training(in: folder, more: ", resume = true"))
      #expect(result.first?.asInteger == 4)
    }
  }

  /// A state in which `stop()` does what Ctrl-C does.
  private func stoppable() throws -> LuaState {
    let state = try makeInterpreter(ignoringEnvironment: true)
    let stop = Function("stop", "Does what Ctrl-C does.") { call in
      call.state.interrupt()
      return call.nothing
    }
    try state.setGlobal("stop", to: .reference(state.makeFunction(stop)))
    return state
  }

  /// A run of four steps that stops itself after the second when it can.
  private func training(in folder: String, more: String = "") -> String {
    """
    local apo = require "apo"
    apo.seed(1)
    local rows = {}
    for i = 1, 8 do rows[i] = {prompt = "What is " .. i .. "?"} end
    return apo.train{
      policy = apo.load "\(Fixtures.path("models/tiny-qwen2-tied"))", data = apo.dataset(rows),
      reward = function(_, c) return #c.text % 2 end, target = function(s) return s.reward end,
      lr = 1e-3, batch_size = 2, max_tokens = 4, dir = "\(folder)", quiet = true,
      on_step = function(record) if record.step == 2 then stop() end end\(more)
    }.steps
    """
  }
}
