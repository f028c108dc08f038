// The interactive session: reads a chunk, runs it, shows its value.

import Lua

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An interactive session over a state.
final class REPL {
  private let state: LuaState
  private let terminal: REPLTerminal
  private var printer = PrettyPrinter()
  /// The signal that stopped the last chunk.
  private var stopSignal: Int32?

  init(_ state: LuaState) {
    self.state = state
    terminal = REPLTerminal(state)
    printer.usesColor = REPLTerminal.usesColor
  }

  /// Reads and runs until the end of input.
  ///
  /// Throws `Stopped` if SIGTERM or SIGHUP stopped the code.
  func run() throws {
    print("\(versionText). Type help() for help; Ctrl-D ends.")
    openGlobals()
    state.unwatchInterrupt()  // at the prompt a signal is the line editor's
    while let input = terminal.read(prompt("_PROMPT", "> ")) {
      guard case .line(let line) = input, !line.allSatisfy(\.isWhitespace) else { continue }
      evaluate(line)
      if let stopSignal, stopSignal != SIGINT { throw Stopped(signal: stopSignal) }
    }
    print()
  }

  /// `apo` and `help` are globals here, and only here.
  private func openGlobals() {
    do {
      try state.setGlobal("help", to: .reference(state.makeFunction(helpFunction)))
      try state.run("apo = require 'apo'", name: "=stdin")
    } catch {
      terminal.show(error)
    }
  }

  /// A global that scripts may set, as in the stock interpreter.
  private func prompt(_ name: String, _ usual: String) -> String {
    let value = try? state.globalReference(name)
    return value.map(state.display) ?? usual
  }

  private func evaluate(_ line: String) {
    stopSignal = nil
    do {
      guard let (chunk, text) = try compile(line) else { return }
      state.watchInterrupt()
      defer {
        stopSignal = LuaState.stopSignal
        state.unwatchInterrupt()
      }
      let results = try state.callKeepingResults(chunk)
      if !text.hasSuffix(";") { try show(results) }
    } catch {
      terminal.show(withNameHint(error, in: state))
    }
  }

  // MARK: Reading

  /// Reads lines until the text is a complete chunk; nil if Ctrl-C discarded it.
  private func compile(_ first: String) throws -> (chunk: LuaReference, text: String)? {
    var text = shorthand(first)
    defer { terminal.remember(text) }
    while true {
      switch parse(text) {
      case .success(let chunk): return (chunk, text.trimmed)
      case .failure(let error):
        guard error.isIncompleteInput else { throw error }
        guard let input = terminal.read(prompt("_PROMPT2", ">> "), after: text) else { throw error }
        guard case .line(let more) = input else { return nil }
        text += "\n" + more
      }
    }
  }

  /// `? name` asks for help, `=expression` is Lua 5.1's way to show a value.
  private func shorthand(_ line: String) -> String {
    let trimmed = line.trimmed
    if trimmed == "?" { return "help()" }
    if trimmed.hasPrefix("?") { return "help(\(trimmed.dropFirst().trimmed))" }
    return trimmed.hasPrefix("=") ? "return \(trimmed.dropFirst())" : line
  }

  /// An expression if the text is one, else a statement; incomplete if either could continue.
  private func parse(_ text: String) -> Result<LuaReference, LuaError> {
    let expression = load("return \(text)\n")
    guard case .failure(let unfinished) = expression else { return expression }
    let statement = load(text + "\n")
    guard case .failure(let error) = statement else { return statement }
    return .failure(unfinished.isIncompleteInput ? unfinished : error)
  }

  private func load(_ text: String) -> Result<LuaReference, LuaError> {
    Result { () throws(LuaError) in
      do { return try state.load(text, name: "=stdin") } catch let error as LuaError {
        throw error
      } catch { throw LuaError("\(error)") }
    }
  }

  // MARK: Showing

  /// A rollout, an evaluation or the result of a training as a table; nil for other values.
  private func table(of value: LuaReference) throws -> String? {
    let show = try state.load("return require 'apo.session.show' (...)", name: "=[apo]")
    let width = LuaValue.integer(REPLTerminal.width)
    return try state.call(show, [.reference(value), width]).first?.asString
  }

  /// Shows the results, and makes the first one `_`.
  private func show(_ results: [LuaReference]) throws {
    guard let first = results.first else { return }
    try state.setGlobal("_", to: .reference(first))
    printer.width = REPLTerminal.width
    let texts = try results.map { try table(of: $0) ?? printer.text(of: $0, in: state) }
    let separator = texts.contains { $0.contains("\n") } ? "\n" : "\t"
    print(texts.joined(separator: separator))
  }
}

extension StringProtocol {
  /// Without blanks at either end.
  var trimmed: String {
    let start = drop(while: \.isWhitespace)
    guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(start[...end])
  }
}
