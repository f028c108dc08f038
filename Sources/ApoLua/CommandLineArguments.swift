// The options of `apo-lua`, which are those of `lua`. The parser sees them up to the script:
// what follows belongs to the script, however it looks.

import ArgumentParser
import Synchronization

/// What the command line asks for.
struct CommandLineArguments: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apo-lua",
    abstract: "Runs Lua scripts that train language models by reinforcement learning.",
    usage: """
      apo-lua [-e <chunk>] [-l <module>] [-i] [-v] [-E] [-W] [-] [--] [<script> [<argument> ...]]
      apo-lua --copy [<algorithm> [<file>]]
      """,
    discussion: """
      Works as `lua` does, with `require "apo"` at hand. Without a script it reads what you type, \
      or runs standard input when that is not a terminal; `-` runs standard input as a script. \
      -e and -l are executed in the order given, then the script, which finds its arguments in \
      `...` and in the table `arg`.

      In a session, help() says how to go on. Manual: docs/reference.md.
      """)

  /// A chunk or a module, with its place among all of them.
  struct Ordered {
    private static let count = Atomic<Int>(0)

    let place: Int
    let text: String

    init(_ text: String) {
      place = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
      self.text = text
    }
  }

  /// Something to execute before the script.
  enum Statement {
    case chunk(String)
    case module(String)
  }

  @Option(
    name: .customShort("e", allowingJoined: true), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Execute a chunk of Lua.", valueName: "chunk"), transform: Ordered.init)
  var chunks: [Ordered] = []

  @Option(
    name: .customShort("l", allowingJoined: true), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Require a module into the global of its name, or of another: -l g=module.",
      valueName: "module"),
    transform: Ordered.init)
  var modules: [Ordered] = []

  @Flag(name: .customShort("i"), help: "Read from the terminal after the script.")
  var isInteractive = false

  @Flag(name: [.customShort("v"), .customLong("version")], help: "Show the version.")
  var showsVersion = false

  @Flag(name: .customShort("E"), help: "Ignore LUA_INIT, LUA_PATH and LUA_CPATH.")
  var ignoresEnvironment = false

  @Flag(name: .customShort("W"), help: "Turn warnings on.")
  var warns = false

  @Flag(help: "Print the reference of the module apo in Markdown.")
  var reference = false

  @Flag(
    help: """
      Write an algorithm of apo.train into a file, to be changed: --copy grpo [<file>]; \
      without a name, list them.
      """)
  var copy = false

  /// -e and -l in the order given.
  var statements: [Statement] {
    let all =
      chunks.map { ($0.place, Statement.chunk($0.text)) }
      + modules.map { ($0.place, Statement.module($0.text)) }
    return all.sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// Where the options end: the index of the script, or the count of arguments.
  static func split(_ arguments: [String]) -> (options: [String], script: Int) {
    var index = 1
    while index < arguments.count {
      let argument = arguments[index]
      if argument == "--" { return (Array(arguments[1..<index]), index + 1) }
      if argument == "-" || !argument.hasPrefix("-") { break }
      index += argument == "-e" || argument == "-l" ? 2 : 1
    }
    let end = min(index, arguments.count)
    return (Array(arguments.dropFirst().prefix(max(end - 1, 0))), end)
  }
}
