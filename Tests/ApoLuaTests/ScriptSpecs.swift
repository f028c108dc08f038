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
    if text.contains("spec.fixtures"), !Fixtures.areThere {
      return print("\(name) is skipped: it \(Fixtures.missing)")
    }
    try withTemporaryFolder { temporary in
      let state = try makeInterpreter(ignoringEnvironment: true)
      let support = try state.call(state.load(file: Self.folder + "/support.lua"))[0]
      var spec = support.asTable ?? LuaTable()
      spec.fields.append((name: "folder", value: .string(temporary)))
      spec.fields.append((name: "fixtures", value: .string(Fixtures.folder ?? "")))
      try state.call(state.load(text, name: "@\(name)"), [.table(spec)])
    }
  }

  @Test("Ctrl-C runs the clean-up once and still stops the script")
  func interrupt() throws {
    let state = try makeInterpreter(ignoringEnvironment: true)
    let stop = try state.makeFunction(
      Function("stop", "Does what Ctrl-C does.") { call in
        call.state.interrupt()
        return call.nothing
      })
    try state.setGlobal("stop", to: .reference(stop))
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
}
