// The terminal of the session: lines, history, completion, colours.

import CLineEditor
import Lua

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reads lines with editing and shows errors.
final class REPLTerminal {
  /// Input from the terminal.
  enum Input {
    case line(String)
    case interrupt
  }

  // The line editor is one per process and calls back without context.
  nonisolated(unsafe) private static weak var state: LuaState?
  nonisolated(unsafe) private static var matches: ArraySlice<String> = []
  /// The earlier lines of the chunk that is being typed.
  nonisolated(unsafe) private static var unfinished = ""

  private let historyPath: String?

  init(_ state: LuaState) {
    historyPath = Self.historyPath
    Self.state = state
    cle_open("apo-lua") { text, isNext in
      guard let text else { return nil }
      return REPLTerminal.nextMatch(String(cString: text), isFirst: isNext == 0)
    }
    if let historyPath { cle_load_history(historyPath) }
  }

  /// `APO_HISTORY`, or a file in the home folder; history is off if it is empty.
  private static var historyPath: String? {
    if let path = getenv("APO_HISTORY") {
      return path.pointee == 0 ? nil : String(validatingCString: path)
    }
    return getenv("HOME").flatMap { String(validatingCString: $0) }.map { $0 + "/.apo_history" }
  }

  /// Whether standard output is a terminal and colours are not disabled.
  static var usesColor: Bool {
    let refused = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
    return !refused && isatty(STDOUT_FILENO) == 1
  }

  /// The number of columns of the terminal, 80 without one.
  static var width: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 else { return 80 }
    return Int(size.ws_col) - 1
  }

  /// A line, or nil at the end of input.
  ///
  /// - Parameter unfinished: The lines of the chunk so far, for completion.
  func read(_ prompt: String, after unfinished: String = "") -> Input? {
    Self.unfinished = unfinished.isEmpty ? "" : unfinished + "\n"
    fflush(nil)
    var interrupted = false
    guard let line = cle_read_line(prompt, &interrupted) else {
      return interrupted ? .interrupt : nil
    }
    defer { free(line) }
    return .line(String(cString: line))
  }

  /// Adds a chunk to the history.
  func remember(_ chunk: String) {
    _ = cle_remember(chunk, historyPath)
  }

  /// The completions one by one, each from malloc, for the line editor.
  private static func nextMatch(_ text: String, isFirst: Bool) -> UnsafeMutablePointer<CChar>? {
    if isFirst {
      var start: Int32 = 0
      let line = cle_line(&start).map { UnsafeRawBufferPointer(start: $0, count: Int(start)) }
      let before = unfinished + String(decoding: line ?? .init(start: nil, count: 0), as: UTF8.self)
      matches = (state?.completions(of: text, after: before) ?? [])[...]
    }
    return matches.popFirst().flatMap { strdup($0) }
  }

  /// Shows an error, with the traceback only if it adds to the message.
  func show(_ error: any Error) {
    let error = error as? LuaError ?? LuaError("\(error)")
    let (start, end) = Self.usesColor ? ("\u{1B}[31m", "\u{1B}[0m") : ("", "")
    writeError("\(start)\(visible(error.message))\(end)\n")
    let calls = Self.interesting(error.traceback ?? "")
    if !calls.isEmpty { writeError(visible(calls.joined(separator: "\n")) + "\n") }
  }

  /// The lines of a traceback, if one of them is neither C nor the typed line.
  private static func interesting(_ traceback: String) -> [String] {
    let lines = traceback.split(separator: "\n").map(String.init)
    let calls = lines.dropFirst().filter { !$0.contains("[C]:") }
    return calls.contains { !$0.hasSuffix("in main chunk") } ? lines : []
  }
}
