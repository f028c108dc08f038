import Foundation
import TestSupport
import Testing

/// Every example runs with small settings and says what it promises.
@Suite("Examples")
struct ExamplesTests {
  @Test("Each example has a test")
  func complete() {
    #expect(
      Examples.names == [
        "01_tensors.lua", "02_fit_a_line.lua", "03_generate.lua", "04_reward.lua",
        "05_own_target.lua", "06_own_loss.lua", "compare.lua", "gsm8k.lua", "lora.lua",
        "pretrain.lua", "stories.lua", "train.lua",
      ])
  }

  @Test("Tensors: the gradient is the one derived by hand, and a mistake names its line")
  func tensors() throws {
    let result = try Examples.output("01_tensors.lua")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("df/dw =\t  -13.50  -18.00  -22.50\n"))
    #expect(result.output.contains("by hand:\t  -13.50  -18.00  -22.50\n"))
    #expect(
      result.output.contains("01_tensors.lua:17: add: shapes [2, 3] and [2] do not broadcast"))
  }

  @Test("The line that the points lie on is found")
  func line() throws {
    let result = try Examples.output("02_fit_a_line.lua")
    #expect(result.status == 0, "\(result.errors)")
    let last = try #require(result.output.split(separator: "\n").last.map(String.init))
    #expect(abs(try #require(last.number(after: "y =")) - 3) < 0.1, "\(last)")
    #expect(abs(try #require(last.number(after: " x")) + 1) < 0.1, "\(last)")
  }

  @Test("Sampling and scoring agree to the bit, and the right answer is the likelier one")
  func generation() throws {
    let result = try Examples.output("03_generate.lua")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("difference from the sampler:\t0.0\n"))
    let scores = try #require(result.output.components(separatedBy: "wrong answer:").last)
    let numbers = scores.split(whereSeparator: \.isWhitespace).prefix(2).compactMap { Double($0) }
    #expect(numbers.count == 2 && numbers[0] > numbers[1] + 5, "\(scores)")
  }

  @Test("Named rewards: the sum with its weights, and an error that names the row")
  func rewards() throws {
    let result = try Examples.output("04_reward.lua")
    #expect(result.status == 0, "\(result.errors)")
    let line = try #require(result.output.split(separator: "\n").first { $0.hasPrefix("mean ") })
    let text = String(line)
    let mean = try #require(text.number(after: "mean"))
    let correct = try #require(text.number(after: "correct"))
    let close = try #require(text.number(after: "close"))
    #expect(abs(mean - correct - 0.2 * close) < 0.0015, "\(text)")
    #expect(
      result.output.contains(
        "test.jsonl: line 1 (prompt: 321+379=); a reward must be a finite number"))
  }

  @Test("Targets of one's own are trained and compared")
  func target() throws {
    let result = try Examples.output("05_own_target.lua", ["1"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.components(separatedBy: " after 1 steps\n").count == 4)
  }

  @Test("A loss of one's own raises the accuracy")
  func loss() throws {
    let result = try Examples.output("06_own_loss.lua", ["12"])
    #expect(result.status == 0, "\(result.errors)")
    let before = try #require(result.output.number(after: "evaluation  reward"))
    #expect(try #require(result.output.number(after: "accuracy")) > before + 0.1)
  }

  @Test("LoRA: an adapter learns, its base stays, and its folder is the same when it is loaded")
  func adapter() throws {
    let result = try Examples.output("lora.lua", ["24", "adapter"])
    #expect(result.status == 0, "\(result.errors)")
    let base = try #require(result.output.number(after: "accuracy: base"))
    let adapted = try #require(result.output.number(after: "with the adapter"))
    #expect(adapted > base + 0.1, "\(result.output)")
    #expect(result.output.contains("loaded again, it is the same:\ttrue\n"))
  }

  @Test("Both stages on the example's model, made shorter, leave a run in its folder")
  func train() throws {
    try Binary.withFolder { folder in
      let result = try Examples.run(
        "train.lua", ["run"],
        replacing: [
          (#"train.jsonl")"#, #"train.jsonl"):take(256)"#), ("epochs = 8", "epochs = 4"),
          (#"test.jsonl")"#, #"test.jsonl"):take(128)"#),
        ], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("Sampled answers before:\n  321+379="))
      #expect(result.output.contains("Sampled answers after:\n  321+379="))
      let before = try #require(result.output.number(after: "evaluation  reward"))
      let after = try #require(result.output.number(after: "new problems:"))
      #expect(before < after, "\(result.output)")
      for name in ["run.json", "script.lua", "metrics.jsonl", "completions.jsonl", "report.html"] {
        let path = folder.appendingPathComponent("run/" + name).path
        #expect(FileManager.default.fileExists(atPath: path), "\(name)")
      }
    }
  }

  @Test("Pre-training, made shorter, writes the committed problems and a model")
  func pretrain() throws {
    try Binary.withFolder { folder in
      let script = folder.appendingPathComponent("script")
      try FileManager.default.createDirectory(at: script, withIntermediateDirectories: true)
      let result = try Examples.run(
        "pretrain.lua", [folder.path], replacing: [("2000, 192", "101, 8")], in: script)
      #expect(result.status == 0, "\(result.errors)")
      let loss = try #require(result.output.number(after: "step  100  loss"))
      #expect(loss < 9, "8 tokens of 14 would cost 9.2 at random: \(result.output)")
      for name in ["train.jsonl", "test.jsonl"] {
        let path = "data/arithmetic/" + name
        #expect(
          try Data(contentsOf: folder.appendingPathComponent(path))
            == Data(contentsOf: Examples.folder.appendingPathComponent(path)), "\(name)")
      }
      let model = folder.appendingPathComponent("models/arithmetic/model.safetensors").path
      #expect(FileManager.default.fileExists(atPath: model))
    }
  }

  @Test(
    "Stories: a real model is asked for named animals and happy endings",
    .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
  func stories() throws {
    try Binary.withFolder { folder in
      let result = try Examples.run(
        "stories.lua", [Fixtures.path("models/stories260K"), "6"],
        replacing: [("= 112, 0.8", "= 32, 0.8"), ("batch_size = 72", "batch_size = 36")],
        in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("Before: named animal 0."))
      #expect(result.output.contains("KL 0.0 nats a story\n  Once upon a time, by a river, there"))
      #expect(result.output.contains("apo.Values: 72 prompts, 8 samples each, beta 0.5"))
      let before = try #require(result.output.number(after: "named animal"))
      let after = try #require(result.output.components(separatedBy: "After: ").last)
      #expect(try #require(after.number(after: "named animal")) > before + 0.1)
      #expect(try #require(after.number(after: "KL")) > 0)
    }
  }
}
