import Foundation
import TestSupport
import Testing

/// `apo-lua --dry-run`: everything is checked, a step is measured, nothing is written.
@Suite("Dry run")
struct DryRunTests {
  private func dryRun(_ script: String, in folder: URL) throws -> RunResult {
    try Binary.run(["--dry-run", script], in: folder)
  }

  private func names(in folder: URL) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
  }

  @Test("The example: sizes, the first prompt, rewards, times, disk; no file")
  func training() throws {
    try Binary.withFolder { folder in
      let result = try dryRun(
        Examples.folder.appendingPathComponent("train.lua").path, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      for text in [
        "stage 1       32 of 4096 prompts sampled in ", "805632 weights, 805632 trained",
        "4096 rows, all checked", "512 rows for evaluation, all checked",
        "one step      128 prompts, 128 completions of at most 6 tokens, 1 update",
        "steps         256 (32 an epoch)", "first prompt  8 tokens: 2|5|3|+|5|2|8|=",
        "its ids       3 6 4 11 6 3 9 12", "completions   reward ", "256 steps, 9 evaluations",
        "3 checkpoints of 9.67 MB", "end of the dry run: nothing was written",
      ] { #expect(result.output.contains(text), "\(text)\n\(result.output)") }
      #expect(!result.output.contains("Sampled answers after"))
      #expect(try names(in: folder) == [])
    }
  }

  @Test("A loop of one's own ends after its first step; what writes files says that it did not")
  func ownLoop() throws {
    try Binary.withFolder { folder in
      try """
      local apo = require "apo"
      apo.system.make_folder "a/b"
      apo.system.write_file("a/text", "x")
      apo.system.append("log", "x")
      apo.json.write("j.json", {})
      apo.plot{path = "p.svg", charts = {{series = {{x = {1, 2}, y = {1, 2}}}}}}
      apo.new_model{
        model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
        num_key_value_heads = 2, intermediate_size = 16, max_position_embeddings = 32,
        tie_word_embeddings = true, rms_norm_eps = 1e-5,
        tokenizer = apo.char_tokenizer{alphabet = "ab"},
      }:save "model"
      local run = apo.run{dir = "run", total = 50}
      for step in run:steps() do
        print("step", step)
        run:log{loss = 0.5}
      end
      """.write(to: folder.appendingPathComponent("own.lua"), atomically: true, encoding: .utf8)
      let result = try dryRun("own.lua", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.hasPrefix("step\t1\none step      "), "\(result.output)")
      #expect(result.output.contains("loss 0.5\nsteps         50, about "))
      #expect(!result.output.contains("step\t2"))
      for name in ["a/text", "log", "j.json", "p.svg", "model"] {
        #expect(result.errors.contains("dry run: \(name) is not written\n"), "\(result.errors)")
      }
      #expect(try names(in: folder) == ["own.lua"])
    }
  }

  @Test("What would end a run ends a dry one: a bad row, a full folder, a reward's error")
  func errors() throws {
    try Binary.withFolder { folder in
      let example = Examples.folder.appendingPathComponent("train.lua")
      let text = try String(contentsOf: example, encoding: .utf8).replacing(
        #"arg[0]:match("^(.*/)")"#, with: "'\(Examples.folder.path)/'")
      func run(_ old: String, _ new: String) throws -> RunResult {
        try #require(text.contains(old))
        try text.replacing(old, with: new).write(
          to: folder.appendingPathComponent("t.lua"), atomically: true, encoding: .utf8)
        return try dryRun("t.lua", in: folder)
      }
      let long = try run("max_tokens = 6", "max_tokens = 60")
      #expect(
        long.status == 1 && long.errors.contains("line 1: the prompt has 8 tokens"),
        "\(long.errors)")
      let reward = try run("completion.text == row.answer", "completion.txt.x == row.answer")
      #expect(reward.status == 1 && reward.errors.contains("attempt to index a nil value"))
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("old"), withIntermediateDirectories: true)
      try "{}".write(
        to: folder.appendingPathComponent("old/run.json"), atomically: true, encoding: .utf8)
      let full = try run("dir = arg[1] or", "dir = \"old\" or")
      #expect(full.status == 1, "\(full.output)")
      #expect(try names(in: folder) == ["old", "old/run.json", "t.lua"])
    }
  }
}
