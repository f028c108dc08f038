// Parses the options of `apo-lua` as lua.c does: up to the script, whose arguments follow it,
// whatever they look like. Arguments are bytes, not necessarily text.

/// The parsed command line.
struct CommandLineArguments {
  /// Something to do before the script, in the order given.
  enum Step: Equatable {
    case chunk([UInt8])
    case module([UInt8])
    case warnings
  }

  /// An invalid argument.
  struct Fault: Error {
    let message: String
  }

  var steps: [Step] = []
  var isInteractive = false
  var showsVersion = false
  var ignoresEnvironment = false
  var threads: Int?
  var isDryRun = false
  /// The name of a command, such as `copy`; its arguments are those from `script` on.
  var command: String?
  /// The end of the options: the index of the script, or the argument count.
  var script: Int

  /// Reads the arguments, the first of which is the program's name.
  ///
  /// - Parameter isFile: Whether a script of that name exists, which wins over a command.
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
      if argument.starts(with: Array("--threads".utf8)) {
        script += try takeThreads(argument, arguments.dropFirst(script + 1).first)
      } else if isText, argument.count == 2 {
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

  /// `-e` or `-l` with its text, attached or as the next argument.
  private mutating func addStep(_ argument: [UInt8], _ next: [UInt8]?) throws(Fault) {
    let isJoined = argument.count > 2
    guard let text = isJoined ? Array(argument[2...]) : next,
      isJoined || text.first != UInt8(ascii: "-")
    else { throw Fault(message: "'\(String(decoding: argument, as: UTF8.self))' needs argument") }
    steps.append(argument[1] == UInt8(ascii: "e") ? .chunk(text) : .module(text))
  }

  /// `--threads N` or `--threads=N`; returns the number of arguments used.
  private mutating func takeThreads(_ argument: [UInt8], _ next: [UInt8]?) throws(Fault) -> Int {
    let parts = argument.split(separator: UInt8(ascii: "="), maxSplits: 1).map(Array.init)
    guard parts[0] == Array("--threads".utf8) else {
      throw Fault(message: "unrecognized option '\(String(decoding: argument, as: UTF8.self))'")
    }
    let text = String(decoding: parts.count == 2 ? parts[1] : next ?? [], as: UTF8.self)
    guard let count = Int(text), Self.threadCounts.contains(count) else {
      throw Fault(message: "--threads needs a number from 1 to 256, got '\(text)'")
    }
    threads = count
    return parts.count == 2 ? 1 : 2
  }

  static let threadCounts = 1...256

  private mutating func addFlag(_ argument: [UInt8]) throws(Fault) {
    let name = String(decoding: argument, as: UTF8.self)
    switch name {
    case "-i": isInteractive = true
    case "-v", "--version": showsVersion = true
    case "-E": ignoresEnvironment = true
    case "-W": steps.append(.warnings)
    case "--dry-run": isDryRun = true
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
