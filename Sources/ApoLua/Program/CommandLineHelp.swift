// Declares the command line once, for `apo-lua --help`, the completions and the man page.

extension CommandLineArguments {
  struct Option {
    let names: [String]
    var argument: String?
    let text: String

    var usage: String {
      names.joined(separator: ", ") + (argument.map { " <\($0)>" } ?? "")
    }
  }

  /// What the program does instead of running a script.
  struct Command {
    let name: String
    var arguments = ""
    let text: String

    var usage: String { arguments.isEmpty ? name : "\(name) \(arguments)" }
  }

  static let options = [
    Option(names: ["-e"], argument: "chunk", text: "Execute a chunk of Lua."),
    Option(
      names: ["-l"], argument: "module",
      text: "Require a module into the global of its name; -l g=module: into g."),
    Option(names: ["-i"], text: "Read from the terminal after the script."),
    Option(names: ["-v", "--version"], text: "Show the version."),
    Option(names: ["-E"], text: "Ignore LUA_INIT, LUA_PATH and LUA_CPATH."),
    Option(names: ["-W"], text: "Turn warnings on."),
    Option(
      names: ["--threads"], argument: "count",
      text: "Compute with that many threads instead of APO_THREADS, or one a core."),
    Option(
      names: ["--dry-run"],
      text: "Check everything up to the first training, measure a step, and write nothing."),
    Option(names: ["--help"], text: "Show this text."),
    Option(names: ["--"], text: "End the options: what follows is the script."),
    Option(names: ["-"], text: "Run standard input as the script."),
  ]

  static let commands = [
    Command(
      name: "attach", arguments: "[<run>] [-e <command>] ...",
      text: "Ask and steer a live run; without a name, the only one in runs/."),
    Command(
      name: "check", arguments: "<file> ...",
      text: "Find wrong names and options in scripts without running them."),
    Command(
      name: "compare", arguments: "[--level=<reward>] <run> <run> ...",
      text: "Show how runs differ, and when each reached a reward."),
    Command(
      name: "completion", arguments: "bash|zsh|fish",
      text: "Print the completions for a shell."),
    Command(
      name: "copy", arguments: "[<algorithm> [<file>]]",
      text: "Write an algorithm to a file, to be changed; without a name, list them."),
    Command(
      name: "export", arguments: "<run> --csv | --tensorboard [<folder>] | --trackio <project>",
      text: "Print all metrics of a run as CSV, or write it for TensorBoard or Trackio."),
    Command(name: "help", text: "Show this text."),
    Command(
      name: "init", arguments: "[<folder>]",
      text: "Write a first script, snippets and settings of editors; replace nothing."),
    Command(name: "man", text: "Print the man page."),
    Command(name: "reference", text: "Print the reference of the module apo in Markdown."),
    Command(
      name: "replay-run", arguments: "<run> -o <folder>",
      text: "Run the script of a run again, with what attach did to it, into another folder."),
    Command(
      name: "report", arguments: "<run> ... [-o <file>]",
      text: "Write runs as one web page: curves, settings, events, completions."),
    Command(name: "runs", arguments: "[<folder>]", text: "List the runs in a folder, or in runs/."),
    Command(name: "show", arguments: "<run>", text: "Show a run's settings, metrics and events."),
    Command(
      name: "tail", arguments: "<run>", text: "Show the last steps of a run, and follow it."),
    Command(name: "types", text: "Print the types of the module apo, for language servers."),
  ]

  static let environment = [
    (name: "APO_THREADS", text: "How many threads compute, from 1 to 256. Default: one a core."),
    (name: "APO_HISTORY", text: "The file that keeps the lines of sessions at the terminal."),
    (name: "APO_QUIET", text: "When set, nothing shows progress."),
    (name: "NO_COLOR", text: "When set and not empty, sessions show no colors."),
    (name: "LUA_INIT, LUA_PATH, LUA_CPATH", text: "As lua has them."),
  ]

  static let summary =
    "Runs Lua scripts that train language models by reinforcement learning."

  static let usage = "usage: apo-lua [options] [<script> [<argument> ...]]"

  static let introduction = """
    Works as lua does, with require "apo" at hand. Without a script it reads what
    you type, or runs standard input when that is not a terminal. -e, -l and -W
    take effect in the order given, then the script runs, which finds its
    arguments in ... and in the table arg.
    """

  static var helpText: String {
    let entries = options.map { ($0.usage, $0.text) }
    let commands = commands.map { ($0.usage, $0.text) }
    let help = HelpText(all: [], width: REPLTerminal.width)
    let lines = { help.list($0) + "\n" }
    return """
      \(summary)

      \(usage)
             apo-lua <command> [<argument> ...]

      \(introduction)

      Options:
      \(lines(entries))
      Commands, also with -- before them; a script of that name comes first:
      \(lines(commands))
      In a session, help() says how to go on. Manual: docs/reference.md.

      """
  }

  /// The same as a page for `man`.
  static var manualPage: String {
    let entries = { (entries: [(String, String)]) in
      entries.map { ".TP\n.B \(roff($0))\n\(roff($1))\n" }.joined()
    }
    return """
      .TH APO-LUA 1 "" "apo-lua \(apoVersion)"
      .SH NAME
      apo-lua \\- run Lua scripts that train language models by reinforcement learning
      .SH SYNOPSIS
      .B apo-lua
      [options] [script [argument ...]]
      .br
      .B apo-lua
      command [argument ...]
      .SH DESCRIPTION
      \(roff(introduction))
      .SH OPTIONS
      \(entries(options.map { ($0.usage, $0.text) })).SH COMMANDS
      Also with \\-\\- before them; a script of that name goes before the command.
      \(entries(commands.map { ($0.usage, $0.text) })).SH ENVIRONMENT
      \(entries(environment.map { ($0.name, $0.text) })).SH EXIT STATUS
      0, 1 after an error, or 128 and the number of the signal that ended the script.

      """
  }

  private static func roff(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let escaped = line.flatMap { character -> [Character] in
        switch character {
        case "\\": Array("\\\\")
        case "-": Array("\\-")
        default: [character]
        }
      }
      // A line that begins with a dot or an apostrophe would be a request.
      return (line.first == "." || line.first == "'" ? "\\&" : "") + String(escaped)
    }.joined(separator: "\n")
  }
}
