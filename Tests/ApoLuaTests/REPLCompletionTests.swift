import Foundation
import Lua
import TestSupport
import Testing

@testable import ApoLua

@Suite("Completion inside calls")
struct REPLCompletionTests {
  private func session() throws -> LuaState {
    let state = try makeInterpreter(ignoringEnvironment: true)
    try state.run(
      """
      apo = require "apo"
      rollout = apo.rollout({{prompt_ids = {1}, ids = {2, 3}}})
      one, list, box = rollout[1], {{name = 1, other = 2}}, {tensor = apo.zeros(1)}
      """)
    return state
  }

  /// What Tab offers at the end of a text; the word is what libedit makes it.
  private func offers(_ text: String, in state: LuaState) -> [String] {
    let word = text.reversed().prefix { $0.isLetter || $0.isNumber || "_.:".contains($0) }
    return state.completions(
      of: String(word.reversed()), after: String(text.dropLast(word.count)))
  }

  @Test("Options of a call, those inside others, and not those that are given")
  func options() throws {
    let state = try session()
    #expect(
      offers("apo.train{max_", in: state) == [
        "max_grad_norm = ", "max_num_seqs = ", "max_steps = ", "max_tokens = ",
      ])
    #expect(offers("apo.train{max_steps = 3,\n  max_s", in: state) == [])
    #expect(offers("apo.train({batch_", in: state) == ["batch_size = "])
    #expect(offers("x = apo.train{eval = {ever", in: state) == ["every = "])
    #expect(offers("apo.train{eval = {every = 3}, ever", in: state) == [])
    #expect(offers("apo.load('a', {dty", in: state) == ["dtype = "])
    #expect(offers("box.tensor:backward{ret", in: state) == ["retain_graph = "])
    #expect(offers("rollout:lengths{", in: state) == ["prompt = "])
    #expect(
      offers("apo.train{reward = function(row) return math.flo", in: state) == ["math.floor("])
    #expect(offers("apo.train{policy = rollo", in: state) == ["rollout:"])
    #expect(offers("-- apo.train{\nmath.flo", in: state) == ["math.floor("])
    #expect(offers("nothing.there{ma", in: state) == ["math."])
    #expect(offers("local t = {ma", in: state) == ["math."])
  }

  @Test("Values of options, in quotes or before them; file names stay where there are none")
  func values() throws {
    let state = try session()
    #expect(offers("apo.train{algorithm = \"re", in: state) == ["rebel", "reinforce"])
    #expect(
      offers("apo.train{overlong = ", in: state) == ["\"error\"", "\"drop\"", "\"truncate_left\""])
    #expect(offers("apo.train{schedule = 'c", in: state) == ["constant", "cosine"])
    #expect(offers("apo.train{keep = {mode = 'm", in: state) == ["max", "min"])
    #expect(offers("apo.train{dir = \"ru", in: state) == [])
    #expect(offers("io.open(\"ma", in: state) == [])
    #expect(offers("apo.train{lr = mat", in: state) == ["math."])
  }

  @Test("Fields of a completion before they are computed, and of an element of a table")
  func elements() throws {
    let state = try session()
    #expect(offers("rollout[1].prom", in: state) == [".prompt", ".prompt_ids"])
    #expect(offers("print(rollout[-1].te", in: state) == [".temperature", ".text"])
    #expect(offers("one.finish", in: state) == ["one.finish_reason"])
    #expect(offers("list[1].", in: state) == [".name", ".other"])
    #expect(offers("list[2].", in: state) == [])
    #expect(offers("none[1].", in: state) == [])
    // libedit takes the whole as the word where the line begins with it.
    #expect(state.completions(of: "rollout[1].tex", after: "") == ["rollout[1].text"])
  }

  @Test("No text, however broken, is more than a text without completions")
  func hostile() throws {
    let state = try session()
    for text in [
      "}}}}", "{{{{", "apo.train{=", "\"\\", "])", "apo.train{eval = {{", "a:b:c{", ".{", "--",
    ] {
      _ = offers(text, in: state)
      _ = offers(text + String(repeating: "{", count: 3000), in: state)
    }
  }
}
