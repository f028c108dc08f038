// The options of `apo-lua`, which are those of `lua`, read as lua.c does: up to the script, whose
// arguments follow it, however they look. Arguments are bytes; nothing says that they are text.

/// What the command line asks for.
struct CommandLineArguments {
  /// Something to do before the script, in the order given.
  enum Step: Equatable {
    case chunk([UInt8])
    case module([UInt8])
    case warnings
  }

  /// An argument that cannot be understood.
  struct Fault: Error {
    let message: String
  }

  var steps: [Step] = []
  var isInteractive = false
  var showsVersion = false
  var ignoresEnvironment = false
  /// The name of a command, such as `copy`; its arguments are those from `script` on.
  var command: String?
  /// Where the options end: the index of the script, or the count of arguments.
  var script: Int

  /// Reads the arguments, the first of which is the program's name.
  ///
  /// - Parameter isFile: Whether a script of that name exists, which then goes before a command.
  init(_ arguments: [[UInt8]], isFile: ([UInt8]) -> Bool) throws(Fault) {
    script = 1
    while script < arguments.count {
      let argument = arguments[script]
      guard argument.first == UInt8(ascii: "-"), argument.count > 1 else { break }
      if argument == Array("--".utf8) {
        script += 1
        return
      }
      let isText = argument[1] == UInt8(ascii: "e") || argument[1] == UInt8(ascii: "l")
      if isText, argument.count == 2 {
        try addStep(argument, arguments.dropFirst(script + 1).first)
        script += 2
      } else {
        script += 1
        if isText { try addStep(argument, nil) } else { try addFlag(argument) }
        if command != nil { return }
      }
    }
    takeCommand(arguments, isFile)
  }

  /// `-e` or `-l` with its text, which is joined or follows.
  private mutating func addStep(_ argument: [UInt8], _ next: [UInt8]?) throws(Fault) {
    let isJoined = argument.count > 2
    guard let text = isJoined ? Array(argument[2...]) : next,
      isJoined || text.first != UInt8(ascii: "-")
    else { throw Fault(message: "'\(String(decoding: argument, as: UTF8.self))' needs argument") }
    steps.append(argument[1] == UInt8(ascii: "e") ? .chunk(text) : .module(text))
  }

  private mutating func addFlag(_ argument: [UInt8]) throws(Fault) {
    let name = String(decoding: argument, as: UTF8.self)
    switch name {
    case "-i": isInteractive = true
    case "-v", "--version": showsVersion = true
    case "-E": ignoresEnvironment = true
    case "-W": steps.append(.warnings)
    case "--help": command = "help"
    default:
      guard name.hasPrefix("--"), Self.commands.contains(where: { "--" + $0.name == name }) else {
        throw Fault(message: "unrecognized option '\(name)'")
      }
      command = String(name.dropFirst(2))
    }
  }

  /// The first argument names a command, unless there is such a file.
  private mutating func takeCommand(_ arguments: [[UInt8]], _ isFile: ([UInt8]) -> Bool) {
    guard script == 1, arguments.count > 1 else { return }
    let name = String(decoding: arguments[1], as: UTF8.self)
    guard Self.commands.contains(where: { $0.name == name }), !isFile(arguments[1]) else { return }
    command = name
    script = 2
  }
}

extension CommandLineArguments {
  /// What the program does instead of running a script.
  static let commands: [(name: String, usage: String, text: String)] = [
    (
      "copy", "copy [<algorithm> [<file>]]",
      "Write an algorithm of apo.train into a file, to be changed; without a name, list them."
    ),
    ("help", "help", "Show this text."),
    ("reference", "reference", "Print the reference of the module apo in Markdown."),
  ]

  private static let options = [
    ("-e <chunk>", "Execute a chunk of Lua."),
    ("-l <module>", "Require a module into the global of its name; -l g=module: into g."),
    ("-i", "Read from the terminal after the script."),
    ("-v, --version", "Show the version."),
    ("-E", "Ignore LUA_INIT, LUA_PATH and LUA_CPATH."),
    ("-W", "Turn warnings on."),
    ("--", "End the options: what follows is the script."),
    ("-", "Run standard input as the script."),
  ]

  static let usage = "usage: apo-lua [options] [<script> [<argument> ...]]"

  static var helpText: String {
    let commands = commands.map { ($0.usage, $0.text) }
    let width = (options + commands).map(\.0.count).max() ?? 0
    let lines = { (entries: [(String, String)]) in
      entries.map { name, text in
        "  \(name)\(String(repeating: " ", count: width - name.count))  \(text)\n"
      }.joined()
    }
    return """
      Runs Lua scripts that train language models by reinforcement learning.

      \(usage)
             apo-lua <command> [<argument> ...]

      Works as lua does, with require "apo" at hand. Without a script it reads what you type, or
      runs standard input when that is not a terminal. -e, -l and -W take effect in the order given,
      then the script runs, which finds its arguments in ... and in the table arg.

      Options:
      \(lines(options))
      Commands, also with -- before them; a script of that name goes before the command:
      \(lines(commands))
      In a session, help() says how to go on. Manual: docs/reference.md.

      """
  }
}
