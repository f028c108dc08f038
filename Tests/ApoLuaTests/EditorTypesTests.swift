import Foundation
import Lua
import Testing

@testable import ApoLua

@Suite("Types for editors, and a folder to begin in")
struct EditorTypesTests {
  @Test("Every declared function, class and option is in the types, which Lua reads")
  func complete() throws {
    let text = try editorTypesText()
    let state = try makeInterpreter(ignoringEnvironment: true)
    _ = try state.load(text, name: "=apo.lua")
    for documentation in try documentedState().documented {
      switch documentation {
      case .class(let declaration):
        #expect(text.contains("---@class \(declaration.name)\n"))
      case .module(let module):
        let path = "require 'apo'" + module.name.dropFirst(3)
        let isThere = try state.run("return \(path) ~= nil").first?.asBoolean
        #expect(text.contains("---@class \(module.name)\n") == isThere, "\(module.name)")
      case .function(let documented):
        let name = documented.function.name
        if documented.name.hasPrefix("apo."), !name.hasPrefix("__"), !isOfLibrary(documented.name) {
          #expect(text.contains("\(name)("), "\(documented.name)")
        }
        for field in documented.function.parameters.flatMap({ $0.type.fields ?? [] })
        where documented.name.hasPrefix("apo.") && !isOfLibrary(documented.name) {
          #expect(text.contains("---@field \(field.name)"), "\(documented.name): \(field.name)")
        }
      }
    }
  }

  /// Whether a function is in a module that only `require` gives.
  private func isOfLibrary(_ name: String) -> Bool {
    ["apo.rows.", "apo.prompts.", "apo.declarations.", "apo.sockets."].contains {
      name.hasPrefix($0)
    }
  }

  @Test("Types say what declarations do: values, callbacks, unions, operators")
  func lines() throws {
    let text = try editorTypesText()
    for line in [
      "---@class apo.train.options\n---@field policy apo.Model the model to train\n",
      "---@field lr? number ",
      "---@field reward (fun(row: table, completion: apo.Completion, state?: table): number",
      "---@alias apo.values.kl \"k1\"|\"k2\"|\"k3\"\n",
      "---@field algorithm? apo.values.algorithm|table|function ",
      "---@field eval? apo.train.options.eval ",
      "---@operator add(apo.Tensor|number): apo.Tensor\n",
      "---@field [integer] apo.Completion\n",
      "---@field finish_reason \"eos\"|\"stop\"|\"length\" ",
      "---@param ... integer|integer[]",
      "---@return (fun(): integer, table[]) # iterator of step",
      "---@overload fun(step: integer): number\n",
      "function apo.optim.adamw(",
    ] { #expect(text.contains(line), "\(line)") }
  }

  /// A folder made by `apo-lua init`, and what the command printed.
  private func withProject(_ body: (URL, String) throws -> Void) throws {
    try Binary.withFolder { folder in
      let result = try Binary.run(["init", "a project"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      try body(folder.appendingPathComponent("a project"), result.output)
    }
  }

  @Test("init makes files that work, and never replaces one")
  func begin() throws {
    try withProject { folder, output in
      let names = [
        "train.lua", "types/apo.lua", ".luarc.json", ".luacheckrc", ".vscode/apo.code-snippets",
      ]
      for name in names {
        #expect(output.contains("wrote a project/\(name)\n"))
        #expect(
          FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path),
          "\(name)")
      }
      for name in [".luarc.json", ".vscode/apo.code-snippets"] {
        let data = try Data(contentsOf: folder.appendingPathComponent(name))
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: data) }
      }
      let check = try Binary.run(["--check", "train.lua"], in: folder)
      #expect(check.status == 0, "\(check.output)")
      let run = try Binary.run(["train.lua"], in: folder)
      #expect(run.status == 0, "\(run.errors)")
      let reward = run.output.firstMatch(of: /reward (\d\.\d+) after 30 steps/)
        .flatMap { Double($0.1) }
      #expect((reward ?? 0) > 0.5, "\(run.output.suffix(300))")
      try "mine".write(
        to: folder.appendingPathComponent("train.lua"), atomically: true, encoding: .utf8)
      let again = try Binary.run(["init"], in: folder)
      #expect(again.output.contains("kept  ./train.lua\n"))
      #expect(
        try String(contentsOf: folder.appendingPathComponent("train.lua"), encoding: .utf8)
          == "mine")
      let file = try Binary.run(["init", "train.lua"], in: folder)
      #expect(file.status == 1 && file.errors.contains("train.lua is a file; a folder expected"))
    }
  }

  /// The path of a program on PATH.
  private func program(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first(where: FileManager.default.isExecutableFile)
  }

  @Test("lua-language-server knows what examples and pages use, and finds what is not there")
  func languageServer() throws {
    guard let server = program("lua-language-server") else {
      return print("types are not tried in a language server: lua-language-server is not installed")
    }
    try withProject { folder, _ in
      for name in ["examples", "docs"] {
        let place = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      }
      for path in Checkout.pages where path != "docs/reference.md" {
        let page = Page(try Checkout.text(path))
        let file = "docs/" + path.replacingOccurrences(of: "/", with: "_") + ".lua"
        try page.script.write(
          to: folder.appendingPathComponent(file), atomically: true, encoding: .utf8)
      }
      let examples = Checkout.folder.appendingPathComponent("examples")
      for file in try FileManager.default.contentsOfDirectory(atPath: examples.path)
      where file.hasSuffix(".lua") {
        try FileManager.default.copyItem(
          at: examples.appendingPathComponent(file),
          to: folder.appendingPathComponent("examples/" + file))
      }
      try "local apo = require 'apo'\nlocal m = apo.load 'a'\nm:generat 'x'\n".write(
        to: folder.appendingPathComponent("wrong.lua"), atomically: true, encoding: .utf8)
      let faults = try faults(of: folder, by: server)
      #expect(faults.contains("wrong.lua:3 undefined-field"), "\(faults)")
      // Servers differ in what they make of arithmetic on values of unknown types; not in names.
      #expect(!faults.contains { $0.hasSuffix("undefined-global") }, "\(faults)")
      print("undefined fields, says the language server: \(faults)")
    }
  }

  /// Where a language server finds a field or a global that is not there.
  private func faults(of folder: URL, by server: String) throws -> [String] {
    let report = folder.appendingPathComponent("report.json")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: server)
    process.arguments = [
      "--check=\(folder.path)", "--checklevel=Warning", "--check_format=json",
      "--check_out_path=\(report.path)",
    ]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    let data = try Data(contentsOf: report)
    let all = try JSONSerialization.jsonObject(with: data) as? [String: [[String: Any]]] ?? [:]
    return all.flatMap { file, problems in
      problems.compactMap { problem -> String? in
        let code = problem["code"] as? String ?? ""
        guard code == "undefined-field" || code == "undefined-global" else { return nil }
        let range = problem["range"] as? [String: [String: Int]]
        let name = file.split(separator: "/").last.map(String.init) ?? file
        return "\(name):\((range?["start"]?["line"] ?? -1) + 1) \(code)"
      }
    }
  }

  @Test("luacheck has nothing against the examples that concerns names")
  func luacheck() throws {
    guard let luacheck = program("luacheck") else {
      return print("examples are not tried in luacheck: it is not installed")
    }
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: luacheck)
    process.arguments = ["--std", "lua54", "--only", "1", "-q", "--no-color", "examples"]
    process.currentDirectoryURL = Checkout.folder
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(String(decoding: data, as: UTF8.self))")
  }
}
