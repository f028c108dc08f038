// `apo-lua` from its arguments to its exit status, with the order and wording of `lua`.

import CProcess
import Lua

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Runs `apo-lua` with the arguments of this process.
///
/// - Returns: the exit status: 0, 1 after an error, or 128 and the number of the signal that ended
///   the script.
public func runCommandLine() -> Int32 {
  LuaState.ignoreFileSignals()
  guard endWithParent() else { return 128 + SIGTERM }
  var count: Int32 = 0
  let values = cp_arguments(&count)
  let arguments = (0..<Int(count)).compactMap { index in
    values?[index].map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
  }
  return runCommandLine(arguments)
}

/// Runs `apo-lua` with arguments, the first of which is the program's name.
func runCommandLine(_ arguments: [[UInt8]]) -> Int32 {
  let program = arguments.first ?? Array("apo-lua".utf8)
  do {
    let options = try CommandLineArguments(arguments, isFile: isFile)
    try setThreads(options.threads)
    if options.isDryRun { setenv("APO_DRY_RUN", "1", 1) }
    let session = try Session(options, arguments: arguments, program: program)
    defer { session.state.close() }
    return session.run()
  } catch let fault as CommandLineArguments.Fault {
    let text = program + Array(": \(fault.message)\n\(CommandLineArguments.usage)\n".utf8)
    writeError(visible(text))
    writeError("apo-lua --help lists the options\n")
  } catch {
    report(error, program)
  }
  return 1
}

/// Has an apo-lua that `apo.system.start` started end with the process that did; false if that has
/// ended already. The programs that it starts itself are its own affair.
private func endWithParent() -> Bool {
  guard let parent = getenv("APO_PARENT").flatMap({ pid_t(String(cString: $0)) }) else {
    return true
  }
  unsetenv("APO_PARENT")
  return cp_end_with(parent)
}

/// Sets the number of threads before the first of them starts.
private func setThreads(_ count: Int?) throws(CommandLineArguments.Fault) {
  let range = CommandLineArguments.threadCounts
  if let count {
    setenv("APO_THREADS", String(count), 1)
  } else if let text = getenv("APO_THREADS").map({ String(cString: $0) }), !text.isEmpty {
    guard let count = Int(text), range.contains(count) else {
      throw .init(message: "APO_THREADS must be a number from 1 to 256, got '\(text)'")
    }
  }
}

/// Shows an error as `lua` does.
private func report(_ error: any Error, _ program: [UInt8]) {
  let text = (error as? LuaError)?.outputBytes ?? Array("\(error)".utf8)
  writeError(visible(program + Array(": ".utf8) + text + [UInt8(ascii: "\n")]))
}

private func isFile(_ path: [UInt8]) -> Bool {
  var status = stat()
  return path.withCString { stat($0, &status) == 0 } && status.st_mode & S_IFMT != S_IFDIR
}

extension [UInt8] {
  /// Calls the body with the bytes as a C string.
  func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
    try (map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer {
      try body($0.baseAddress.unsafelyUnwrapped)
    }
  }
}

/// Reports where a signal stopped a script; silent if its output has no reader, as in `apo-lua
/// script.lua | head`.
private func reportStop(_ error: any Error, _ signal: Int32, _ program: [UInt8]) {
  guard signal != SIGPIPE else { return }
  guard let error = error as? LuaError, !error.hasCalls else { return report(error, program) }
  writeError(program + Array(": \(error.message)\n".utf8))
}

extension LuaError {
  /// Whether the traceback adds anything to the message.
  fileprivate var hasCalls: Bool {
    let lines = (traceback ?? "").split(separator: "\n").dropFirst()
    return lines.filter { !$0.hasPrefix("\t[") }.count > 1
  }
}

/// Ends an interactive session after a signal stopped its code.
struct Stopped: Error {
  let signal: Int32
}

/// One run of the program.
private struct Session {
  let options: CommandLineArguments
  let arguments: [[UInt8]]
  let program: [UInt8]
  let state: LuaState

  init(_ options: CommandLineArguments, arguments: [[UInt8]], program: [UInt8]) throws {
    self.options = options
    self.arguments = arguments
    self.program = program
    state = try makeInterpreter(ignoringEnvironment: options.ignoresEnvironment)
  }

  private var hasScript: Bool { options.script < arguments.count }

  func run() -> Int32 {
    state.watchInterrupt()
    defer { state.unwatchInterrupt() }
    do {
      if let command = options.command { return try run(command: command) }
      try runAll()
      return 0
    } catch let error as Stopped {
      return 128 + error.signal
    } catch {
      guard let signal = LuaState.stopSignal else {
        report(withNameHint(error, in: state), program)
        return 1
      }
      reportStop(error, signal, program)
      return 128 + signal
    }
  }

  /// Returns the exit status.
  private func run(command: String) throws -> Int32 {
    switch command {
    case "copy":
      let names = arguments[min(options.script, arguments.count)...]
      try copyAlgorithm(names.map { String(decoding: $0, as: UTF8.self) })
    case "completion":
      let shell = arguments.dropFirst(options.script).first
      let text = try completionText(for: shell.map { String(decoding: $0, as: UTF8.self) })
      print(text, terminator: "")
    case "man": print(CommandLineArguments.manualPage, terminator: "")
    case "types": print(try editorTypesText(), terminator: "")
    case "reference": print(try referenceText(), terminator: "")
    case "help": print(CommandLineArguments.helpText, terminator: "")
    default: return try runLibrary(command: command) ? 0 : 1
    }
    return 0
  }

  /// A command that is written in Lua; whether it went well. Its errors are about what was asked
  /// for.
  private func runLibrary(command: String) throws -> Bool {
    let usage = CommandLineArguments.commands.first { $0.name == command }?.usage ?? command
    let given = arguments.dropFirst(options.script).map { LuaValue(bytes: $0) }
    let words = [.string(command), .string(usage)] + given
    do {
      let command = try state.load("return require 'apo.command' (...) ~= false", name: "=[apo]")
      return try state.call(command, words).first?.asBoolean ?? true
    } catch let error as LuaError where LuaState.stopSignal == nil {
      throw LuaError(error.message)
    }
  }

  private func runAll() throws {
    if options.showsVersion { print(versionText) }
    let scriptArguments = try setArguments()
    if !options.ignoresEnvironment { try runInit() }
    for step in options.steps { try execute(step) }
    if hasScript { try runScript(scriptArguments) }
    try readInput()
  }

  /// What runs after the script: the terminal, or standard input if there is no other script (a
  /// module, `-l`, does not count).
  private func readInput() throws {
    let isTerminal = isatty(STDIN_FILENO) == 1
    let hasChunk = options.steps.contains { if case .chunk = $0 { true } else { false } }
    let hasWork = hasScript || options.showsVersion || hasChunk
    if options.isInteractive || (!hasWork && isTerminal) {
      try REPL(state).run()
    } else if !hasWork {
      try run(state.load(file: [UInt8]?.none))
    }
  }

  /// Makes the table `arg`: the script at 0, its arguments after it, earlier arguments at negative
  /// indices.
  ///
  /// - Returns: a function that gives what the script's `...` is, as long as `arg` is a table.
  private func setArguments() throws -> LuaReference {
    let origin = hasScript ? options.script : 0
    let set = try state.load(
      """
      local origin, all = ...
      local type, error, unpack = type, error, table.unpack
      arg = {}
      for i, a in ipairs(all) do arg[i - 1 - origin] = a end
      return function()
        if type(arg) ~= "table" then error("'arg' is not a table", 0) end
        return unpack(arg)
      end
      """, name: "=arg")
    let all = arguments.map { LuaValue(bytes: $0) }
    return try state.callKeepingResults(set, [.integer(origin), .list(all)])[0]
  }

  private func runInit() throws {
    for name in ["LUA_INIT_5_4", "LUA_INIT"] {
      guard let start = getenv(name) else { continue }
      let text = Array(UnsafeRawBufferPointer(start: start, count: strlen(start)))
      if text.first == UInt8(ascii: "@") {
        return try run(state.load(file: Array(text.dropFirst())))
      }
      return try run(state.load(text, name: "=\(name)"))
    }
  }

  private func execute(_ step: CommandLineArguments.Step) throws {
    switch step {
    case .warnings: state.setWarnings(true)
    case .chunk(let text): try run(state.load(text, name: "=(command line)"))
    case .module(let text):
      let parts = text.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let global = parts.first, let module = parts.last,
        let require = try state.globalReference("require")
      else { throw LuaError("-l: 'require' is missing") }
      let results = try state.callKeepingResults(require, [LuaValue(bytes: module)])
      try state.setGlobal(
        String(decoding: global, as: UTF8.self), to: results.first.map { .reference($0) } ?? .nil)
    }
  }

  private func runScript(_ scriptArguments: LuaReference) throws {
    let name = arguments[options.script]
    let isInput =
      name == [UInt8(ascii: "-")] && arguments[options.script - 1] != Array("--".utf8)
    let chunk = try state.load(file: isInput ? nil : name)
    let values = try state.callKeepingResults(scriptArguments)
    try run(chunk, values.map { .reference($0) })
  }

  private func run(_ chunk: LuaReference, _ arguments: [LuaValue] = []) throws {
    _ = try state.callKeepingResults(chunk, arguments)
  }
}

/// Name and release of the program and of the interpreter in it.
var versionText: String { "apo-lua \(apoVersion) (\(LuaState.version))" }
