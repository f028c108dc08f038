import Core
import Foundation
import Lua
import Tensors
import TestSupport
import Testing

@testable import ApoLua

/// Runs the Lua files in specs/engine, each in an interpreter of its own.
@Suite("Engine in scripts", .serialized)
struct SpecTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  /// The names of the spec files.
  static let files: [String] = {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: folder.appendingPathComponent("specs/engine").path)
    return (names ?? []).filter { $0.hasSuffix(".lua") }.sorted()
  }()

  @Test("There are spec files")
  func found() { #expect(!Self.files.isEmpty) }

  @Test("Spec", arguments: files)
  func spec(_ file: String) throws {
    for failure in try failures(in: file) { Issue.record("\(failure)") }
  }

  @Test("Spec with a full collection at every call", arguments: files)
  func collecting(_ file: String) throws {
    let prelude = "debug.sethook(function() collectgarbage() end, 'c')"
    for failure in try failures(in: file, prelude: prelude) { Issue.record("\(failure)") }
  }

  @Test("Ctrl-C reaches the engine")
  func interrupt() throws {
    try withLua { state in
      try state.run("require 'apo'")
      state.watchInterrupt()
      defer { state.unwatchInterrupt() }
      #expect(!Interrupt.isRequested())
      state.interrupt()
      #expect(Interrupt.isRequested())
      state.watchInterrupt()
      #expect(!Interrupt.isRequested())
    }
  }

  private func failures(in file: String, prelude: String = "") throws -> [String] {
    try withLua { state in
      let path = Self.folder.appendingPathComponent("specs/engine/\(file)").path
      try state.run(prelude)
      try state.call(state.load(file: path))
      return try state.run(
        """
        local check = require "check"
        assert(check.count > 0, "the file holds no tests")
        return check.failures
        """
      ).first?.asTable?.list.map(\.description) ?? []
    }
  }
}

/// Calls `body` with an interpreter whose scripts can `require "check"` and know the folder of the
/// reference files as
/// `shared` (nil where there is none) and an empty one as `temporary`.
func withLua<Output>(_ body: (LuaState) throws -> Output) throws -> Output {
  let state = try makeInterpreter(ignoringEnvironment: true)
  try state.setGlobal(
    "shared", to: Fixtures.folder.map { .string($0) } ?? .nil)
  return try withTemporaryFolder { folder in
    try state.setGlobal("temporary", to: .string(folder))
    let bytes = Function("storage_bytes", "Bytes that tensors hold.") { call in
      call.result(Storage.liveBytes)
    }
    try state.setGlobal("storage_bytes", to: .reference(state.makeFunction(bytes)))
    try state.run("package.path = '\(SpecTests.folder.path)/specs/?.lua'")
    return try body(state)
  }
}
