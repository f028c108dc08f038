import Foundation
import TestSupport
import Testing

/// The GSM8K example on the real files, with a tiny model of random weights: nothing is solved, so
/// what runs is everything around the numbers.
@Suite(
  "GSM8K example", .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct ExamplesGSM8KTests {
  private let folders = [
    Fixtures.path("models/tiny-qwen2-tied"), Fixtures.path("data/gsm8k"),
  ]
  private let small = [
    "limit=6", "test=4", "n=2", "batch_size=3", "epochs=2", "max_tokens=12", "dir=out",
  ]

  @Test("Evaluation, both stages, evaluation; and again from the recorded values")
  func whole() throws {
    try Binary.withFolder { folder in
      let arguments = folders + small + ["format_score=0.1"]
      let result = try Examples.run("gsm8k.lua", arguments, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("before: 4 problems, strict 0.000, flexible 0.000\n"))
      #expect(result.output.contains("apo.Values: 6 prompts, 2 samples each, beta 0.5"))
      #expect(result.output.contains("after: 4 problems, strict 0.000, flexible 0.000\n"))
      let metrics = try String(
        contentsOf: folder.appendingPathComponent("out/run/metrics.jsonl"), encoding: .utf8)
      #expect(metrics.split(separator: "\n").count == 4)
      let values = folder.appendingPathComponent("out/values.jsonl")
      let recorded = try String(contentsOf: values, encoding: .utf8)
      #expect(recorded.contains("Let's think step by step and output the final answer after"))

      let again = try Examples.run("gsm8k.lua", arguments + ["resume=true"], in: folder)
      #expect(again.status == 0, "\(again.errors)")
      #expect(try String(contentsOf: values, encoding: .utf8) == recorded)
    }
  }

  @Test("When no problem is solved and those are left out, the error says so")
  func unsolved() throws {
    let result = try Examples.output("gsm8k.lua", folders + small + ["drop_unsolved=true"])
    #expect(result.status == 1)
    #expect(
      result.errors.contains(
        "train: there are no rows to train on: drop_unsolved dropped all 6"), "\(result.errors)")
  }

  @Test("What it does not understand")
  func arguments() throws {
    for (arguments, message) in [
      ([folders[0]], "usage: gsm8k.lua MODEL_FOLDER GSM8K_FOLDER"),
      (folders + ["limits=3"], "gsm8k.lua: what is 'limits=3'?"),
      (folders + ["limit=many"], "gsm8k.lua: what is 'limit=many'?"),
      (folders + ["resume=maybe"], "gsm8k.lua: what is 'resume=maybe'?"),
    ] {
      let result = try Examples.output("gsm8k.lua", arguments)
      #expect(result.status == 1 && result.errors.contains("apo-lua: \(message)"))
    }
  }
}
