import Foundation
import Lua
import Testing

/// What a model, a data set or a file name says reaches the terminal as text and does nothing
/// there.
@Suite("Hostile texts", .serialized)
struct HostileTextTests {
  /// Renames the window, clears the screen, colours by C1, turns the direction, ends a string.
  static let hostile =
    "\u{1B}]0;mine\u{7}\u{1B}[2J\u{9B}31m\u{202E}evil\u{2066}\r\u{0}\u{7F}\u{E0041}"
  /// The same as Lua writes it in a script.
  static let lua =
    #"\27]0;mine\7\27[2J\u{9B}31m\u{202E}evil\u{2066}\r\0\127\u{E0041}"#

  /// The scalars of a text that a terminal would act on.
  static func active(_ text: String) -> [String] {
    text.unicodeScalars.filter {
      switch $0.value {
      case 0x0A, 0x09: false
      case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x206F,
        0xE0000...0xE007F:
        true
      default: false
      }
    }.map { "U+" + String($0.value, radix: 16) }
  }

  @Test("Every control character is written out as Lua reads it, and other text stays")
  func escapes() throws {
    #expect(Self.active(Self.hostile).count == 10)
    for scalar in (0..<0x300).compactMap(Unicode.Scalar.init) {
      let shown = visible("a\(scalar)b", keepsLines: false)
      #expect(Self.active(shown).isEmpty && !shown.contains("\n") && !shown.contains("\t"))
      let isPlain = (0x20..<0x7F).contains(scalar.value) || scalar.value >= 0xA0
      #expect(isPlain ? shown == "a\(scalar)b" : shown.hasPrefix("a\\") && shown.hasSuffix("b"))
    }
    let kept = "é 你好 👩‍👩‍👧 नमस्ते العربية \t \n"
    #expect(visible(kept) == kept)
    #expect(visible(Self.hostile).hasPrefix(#"\x1B]0;mine\x07\x1B[2J\u{9B}31m\u{202E}evil"#))
    #expect(visible([0x61, 0xFF, 0xC3, 0xE2, 0x82, 0x62, 0x1B]) == #"a\xFF\xC3\xE2\x82b\x1B"#)
    #expect(visible(Array("né".utf8)) == "né")
  }

  @Test("Training, evaluation, values, errors, help and files")
  func program() throws {
    try Binary.withFolder { folder in
      let model = Checkout.folder.appendingPathComponent("examples/models/arithmetic").path
      let prelude = """
        local apo = require "apo"
        local bad = "\(Self.lua)"
        local model = apo.load "\(model)"
        local rows = {}
        for i = 1, 8 do rows[i] = {prompt = i .. "+1=", data_source = bad .. i, [bad] = bad} end
        local function reward(row) return {[bad] = 1, ["x\\n y"] = 0} end
        local function train(more)
          local o = {policy = model:clone(), data = apo.dataset(rows), reward = reward, lr = 1e-4,
            target = function(s) return s.reward end, batch_size = 4, max_tokens = 3,
            eval = {data = apo.dataset(rows), every = 1}}
          for k, v in pairs(more or {}) do o[k] = v end
          return apo.train(o)
        end
        """
      let cases = [
        "train()",
        "train{dir = bad:gsub('%z', '')}",
        "rows[3].prompt = bad .. ('1'):rep(99); train()",
        "rows[3].prompt = bad .. ('1'):rep(99); train{overlong = 'drop'}",
        "rows[3].prompt = bad .. '1'; train{reward = function() return 0 / 0 end}",
        "train{reward = function() error(bad) end}",
        "train{reward = function() error(setmetatable({}, {__tostring = function() return bad end})) end}",
        "train{reward = {[bad] = 1}}",
        "train{weights = {[bad] = 1}}",
        "train{[bad] = 1}",
        "train{schedule = bad}",
        "apo.evaluate{model = model, data = apo.dataset(rows), reward = reward, max_tokens = 2, title = bad}; print(1)",
        "apo.estimate_values{model = model, data = apo.dataset(rows), reward = reward, max_tokens = bad}",
        "apo.progress{total = 1, title = bad, unit = bad}:print(bad)",
        "print(apo.dataset(rows):map(function(r) return {prompt = bad} end):info())",
        "apo.help(bad)", "apo.dataset(bad)", "apo.dataset('x' .. bad:gsub('%z', ''))",
        "apo.load(bad:gsub('%z', ''))", "apo.plot{path = bad .. '.png'}",
        "apo.json.decode('{\"a\":' .. bad)", "apo.dataset{{[bad] = 1}}",
        "model:generate('x', {stop = {''}, [bad] = 1})", "error(bad)", "error({bad})",
        "local t = {}; t[bad] = 1; t[bad]()", "_ENV[bad]()", "load(bad)()", "load('x =' .. bad)()",
        "assert(load(bad, bad))", "assert(nil, bad)", "apo.help(apo.train)",
        "require(bad)", "string.rep()", "apo.tensor({bad})",
        "model.tokenizer:encode(bad .. '\\xff')",
      ]
      for text in cases {
        let run = try Binary.run(["-e", prelude + "\n" + text], in: folder)
        #expect(Self.active(run.output + run.errors) == [], "\(text)")
        #expect(!(run.output + run.errors).isEmpty, "\(text)")
      }
      let trained = try Binary.run(["-e", prelude + "\ntrain()"], in: folder)
      #expect(trained.status == 0 && trained.output.contains(#"\x1B]0;mine"#), "\(trained)")
    }
  }

  @Test("Names of files and arguments")
  func arguments() throws {
    let name = Self.hostile.replacingOccurrences(of: "\u{0}", with: "")
    try Binary.withFolder { folder in
      let script = name.replacingOccurrences(of: "/", with: "") + ".lua"
      let file = folder.appendingPathComponent(script).path
      try Data("local function f() error('x') end f()".utf8).write(to: URL(fileURLWithPath: file))
      try Data("{\"prompt\":7}".utf8).write(to: folder.appendingPathComponent(name + ".jsonl"))
      for arguments in [
        [file], [name], ["--" + name], ["-l", name], ["-e", name], ["--copy", name],
        ["--copy", "grpo", name], ["--copy", "grpo", name],
        ["-e", "require 'apo'.dataset(arg[1])", "--", name + ".jsonl"],
        ["-e", "require 'apo'.dataset [[\(name.replacingOccurrences(of: "\r", with: "")).jsonl]]"],
      ] {
        let run = try Binary.run(arguments, in: folder)
        #expect(Self.active(run.output + run.errors) == [], "\(arguments)")
        #expect(!(run.output + run.errors).isEmpty)
      }
    }
  }

  @Test("Values, errors, bars and completion in the session")
  func session() throws {
    try Binary.withFolder { folder in
      let terminal = try PseudoTerminal(history: folder.appendingPathComponent("history").path)
      _ = terminal.wait(for: "> ")
      _ = terminal.answer(to: "bad = \"\(Self.lua)\"")
      _ = terminal.answer(to: "t = {[bad] = {bad}, good = bad}")
      for line in [
        "bad", "t", "{bad .. 1, [bad] = print}", "error(bad)", "error({bad})", "help(bad)", "#bad",
        "setmetatable({}, {__tostring = function() return bad end})", "'\\xff\\x1b[2J'",
        "{setmetatable({}, {__tostring = function() return bad .. '\\n' .. bad end})}",
        "apo.dataset{{prompt = bad}}:info()", "apo.dataset{{prompt = bad}}[1]", "t[bad][1]()",
        "apo.progress{total = 3, title = bad, unit = bad}:advance(1, bad)",
      ] {
        let answer = terminal.answer(to: line)
        for sequence in ["\u{1B}]0;", "\u{1B}[2J", "\u{9B}", "\u{202E}", "\u{2066}", "\u{0}"] {
          #expect(!answer.contains(sequence), "\(line): \(answer.debugDescription)")
        }
      }
      terminal.type("t.\t\t")
      let offered = terminal.wait(for: "good", seconds: 5)
      #expect(offered.contains("good") && !offered.contains("mine"), "\(offered.debugDescription)")
      terminal.type("\u{3}")
      _ = terminal.finish()
    }
  }
}
