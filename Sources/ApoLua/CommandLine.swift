// `apo-lua` from its arguments to its exit status, in the order and the words of `lua`.

import ArgumentParser
import Lua

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Runs `apo-lua` with arguments, the first of which is the program's name.
///
/// - Returns: the exit status: 0, or 1 after an error.
public func runCommandLine(_ arguments: [String]) -> Int32 {
  let (options, script) = CommandLineArguments.split(arguments)
  let program = arguments.first ?? "apo-lua"
  do {
    let parsed = try CommandLineArguments.parse(options)
    let session = try Session(parsed, arguments: arguments, script: script)
    return session.run()
  } catch let error as LuaError {
    return report(error, program)
  } catch {
    let isHelp = CommandLineArguments.exitCode(for: error).isSuccess
    let text = CommandLineArguments.fullMessage(for: error) + "\n"
    if isHelp { print(text, terminator: "") } else { writeError(text) }
    return isHelp ? 0 : 1
  }
}

/// Shows an error as `lua` does.
private func report(_ error: LuaError, _ program: String) -> Int32 {
  writeError("\(program): \(error)\n")
  return 1
}

/// One run of the program.
private struct Session {
  let options: CommandLineArguments
  let arguments: [String]
  /// The index of the script among the arguments, or their count.
  let script: Int
  let state: LuaState

  init(_ options: CommandLineArguments, arguments: [String], script: Int) throws {
    self.options = options
    self.arguments = arguments
    self.script = script
    state = try makeInterpreter(ignoringEnvironment: options.ignoresEnvironment)
  }

  func run() -> Int32 {
    state.watchInterrupt()
    defer { state.unwatchInterrupt() }
    do {
      if options.reference {
        print(try referenceText(), terminator: "")
        return 0
      }
      if options.copy {
        try copyAlgorithm(Array(arguments[script...]))
        return 0
      }
      try runAll()
      return 0
    } catch let error as LuaError {
      return report(error, arguments.first ?? "apo-lua")
    } catch {
      return report(LuaError("\(error)"), arguments.first ?? "apo-lua")
    }
  }

  private func runAll() throws {
    if options.showsVersion { print(versionText) }
    if options.warns { state.setWarnings(true) }
    try setArguments()
    if !options.ignoresEnvironment { try runInit() }
    for statement in options.statements { try execute(statement) }
    if script < arguments.count { try runScript() }
    try readInput()
  }

  /// What follows the script: the terminal, or standard input when nothing else was asked for.
  private func readInput() throws {
    let isTerminal = isatty(STDIN_FILENO) == 1
    let hasWork = script < arguments.count || !options.statements.isEmpty || options.showsVersion
    if options.isInteractive || (!hasWork && isTerminal) {
      try REPL(state).run()
    } else if !hasWork {
      try run(state.load(file: nil))
    }
  }

  /// The table `arg`: the script at 0, its arguments after it, what comes before at negative
  /// indices.
  private func setArguments() throws {
    let origin = script < arguments.count ? script : 0
    let set = try state.load(
      "local origin, all = ... arg = {} for i, a in ipairs(all) do arg[i - 1 - origin] = a end",
      name: "=arg")
    try state.call(set, [.integer(origin), .list(arguments.map { .string($0) })])
  }

  private func runInit() throws {
    for name in ["LUA_INIT_5_4", "LUA_INIT"] {
      guard let start = getenv(name) else { continue }
      let text = String(cString: start)
      if text.hasPrefix("@") {
        return try run(state.load(file: String(text.dropFirst())))
      }
      return try run(state.load(text, name: "=\(name)"))
    }
  }

  private func execute(_ statement: CommandLineArguments.Statement) throws {
    switch statement {
    case .chunk(let text): try run(state.load(text, name: "=(command line)"))
    case .module(let text):
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard let global = parts.first, let module = parts.last,
        let require = try state.globalReference("require")
      else { throw LuaError("-l: a module expected, got '\(text)'") }
      let results = try state.callKeepingResults(require, [.string(module)])
      try state.setGlobal(global, to: results.first.map { .reference($0) } ?? .nil)
    }
  }

  private func runScript() throws {
    let name = arguments[script]
    let isInput = name == "-" && arguments[script - 1] != "--"
    let chunk = try state.load(file: isInput ? nil : name)
    try run(chunk, arguments[(script + 1)...].map { .string($0) })
  }

  private func run(_ chunk: LuaReference, _ arguments: [LuaValue] = []) throws {
    _ = try state.callKeepingResults(chunk, arguments)
  }
}

/// Name and release of the program and of the interpreter in it.
var versionText: String { "apo-lua \(apoVersion) (\(LuaState.version))" }
