import Foundation
import Testing

@Suite("Session in a terminal", .serialized)
struct REPLTests {
  /// Runs the body with a session whose history is in a new folder.
  func withSession(_ body: (PseudoTerminal, String) throws -> Void) throws {
    try Binary.withFolder { folder in
      let history = folder.appendingPathComponent("history").path
      let terminal = try PseudoTerminal(history: history)
      _ = terminal.wait(for: "> ")
      try body(terminal, history)
    }
  }

  @Test("Shows values, continues lines, keeps going after errors")
  func evaluates() throws {
    try withSession { terminal, _ in
      #expect(terminal.answer(to: "1 + 1").hasSuffix("2\n> "))
      #expect(terminal.answer(to: "_ * 10").hasSuffix("20\n> "))
      #expect(
        terminal.answer(to: "{3, 1, b = {2}, a = 'x'}").contains("{3, 1, a = \"x\", b = {2}}"))
      #expect(
        terminal.answer(to: "=nil, 'two'").contains("nil\ttwo")
          || terminal.transcript.contains("two"))
      #expect(terminal.answer(to: "function f(x)", prompt: ">> ").hasSuffix(">> "))
      #expect(terminal.answer(to: "return x * 2", prompt: ">> ").hasSuffix(">> "))
      _ = terminal.answer(to: "end")
      #expect(terminal.answer(to: "f(21)").hasSuffix("42\n> "))
      #expect(terminal.answer(to: "f({})").contains("stdin:2: attempt to perform arithmetic"))
      #expect(terminal.answer(to: "x = = 1").contains("unexpected symbol near '='"))
      #expect(terminal.answer(to: "5;").hasSuffix("5;\n> "))
      #expect(terminal.answer(to: "apo._VERSION, type(help)").contains("function"))
      #expect(terminal.answer(to: "? apo.help").contains("Shows the documentation"))
      let status = terminal.finish()
      #expect(status == 0, "\(terminal.transcript.suffix(600).debugDescription)")
    }
  }

  @Test("Ctrl-C drops the line, ends a continuation, and stops what runs")
  func interrupts() throws {
    try withSession { terminal, _ in
      terminal.type("some words")
      _ = terminal.wait(for: "words")
      terminal.type("\u{3}")
      _ = terminal.wait(for: "\n> ")
      #expect(terminal.answer(to: "x = 1 + 1").hasSuffix("\n> "))
      #expect(terminal.answer(to: "for i = 1, 3 do", prompt: ">> ").hasSuffix(">> "))
      terminal.type("\u{3}")
      _ = terminal.wait(for: "\n> ")
      #expect(terminal.answer(to: "x").hasSuffix("2\n> "))
      for loop in ["while true do end", "while true do pcall(error) end"] {
        terminal.type(loop + "\r")
        _ = terminal.wait(for: "end\r\n")
        Thread.sleep(forTimeInterval: 0.3)
        terminal.type("\u{3}")
        #expect(terminal.wait(for: "\n> ").contains("stdin:1: interrupted!"))
      }
      #expect(terminal.answer(to: "x + 1").hasSuffix("3\n> "))
    }
  }

  @Test("Tab completes names, fields and methods")
  func completes() throws {
    try withSession { terminal, _ in
      #expect(terminal.answer(to: "math.fl\t2.7)").hasSuffix("\n2\n> "))
      _ = terminal.answer(to: "box = {inner = {value_of_it = 77}}")
      #expect(terminal.answer(to: "box.inn\tvalue_\t").hasSuffix("\n77\n> "))
      #expect(terminal.answer(to: "io.stdout:wr\t'hello\\n')").contains("\nhello\n"))
    }
  }

  @Test("History outlives the session, chunk by chunk")
  func history() throws {
    try withSession { first, path in
      _ = first.answer(to: "earlier = 5")
      _ = first.answer(to: "earlier +", prompt: ">> ")
      _ = first.answer(to: "37")
      let status = first.finish()
      #expect(status == 0, "\(first.transcript.suffix(600).debugDescription)")
      let second = try PseudoTerminal(history: path)
      _ = second.wait(for: "> ")
      _ = second.answer(to: "earlier = 1")
      second.type("\u{1B}[A\u{1B}[A")
      _ = second.wait(for: "37")
      #expect(second.answer(to: "").contains("\n38\n"))
    }
  }

  @Test("Results show as tables, wrong names get a suggestion, Tab knows options")
  func results() throws {
    try withSession { terminal, _ in
      let rollout = terminal.answer(to: "apo.rollout{{prompt = 'one', text = 'two'}}")
      #expect(rollout.contains("#  prompt  text  tokens  finish\n1  one     two"))
      _ = terminal.answer(to: "r = apo.rollout{{prompt = 'one', text = 'two'}}")
      #expect(terminal.answer(to: "r[1].tex\t .. '!'").hasSuffix("\ntwo!\n> "))
      #expect(terminal.answer(to: "apo.trian{}").contains("(did you mean 'apo.train'?)"))
      #expect(terminal.answer(to: "pritn(1)").contains("(did you mean 'print'?)"))
      #expect(terminal.answer(to: "help '/entropy_co'").contains("apo.train: entropy_coef"))
      #expect(terminal.answer(to: "help '/no such word'").contains("Nothing has 'no such word'"))
      #expect(
        terminal.answer(to: "apo.load('a', {dty\t'int8'})").contains("'bfloat16', got 'int8'"))
      #expect(
        terminal.answer(to: "apo.load('a', {dtype = 'bfl\t'})").contains("no such folder"))
    }
  }
}
