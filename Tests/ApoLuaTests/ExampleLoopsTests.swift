import Foundation
import TestSupport
import Testing

/// The loops of examples/loops, each a page on apo.run.
@Suite("Example loops")
struct ExampleLoopsTests {
  private static let folder = Examples.folder.appendingPathComponent("loops")

  @Test("Each has 20 to 40 lines and a test here")
  func complete() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
    #expect(names == ["best_of_n.lua", "distill.lua", "dpo.lua", "grpo.lua", "sft.lua"])
    for name in names {
      let text = try String(
        contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
      #expect((20...40).contains(text.split(separator: "\n").count), "\(name)")
    }
  }

  /// The metric of each step of a run of a loop.
  private func metric(
    _ name: String, of script: String, steps: Int, more: [String] = [], in folder: URL
  ) throws -> [Double] {
    let result = try Examples.run("loops/\(script).lua", ["\(steps)", "run"] + more, in: folder)
    #expect(result.status == 0, "\(result.errors)")
    let text = try String(
      contentsOf: folder.appendingPathComponent("run/metrics.jsonl"), encoding: .utf8)
    return try text.split(separator: "\n").compactMap { line in
      let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return record?[name] as? Double
    }
  }

  private func mean(_ values: some Collection<Double>) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  @Test(
    "What each one is after improves",
    arguments: [
      ("best_of_n", "reward", 1.0, 24), ("grpo", "reward", 1.0, 16), ("dpo", "margin", 1.0, 12),
      ("distill", "reverse_kl", -1.0, 12),
    ])
  func improves(script: String, name: String, sign: Double, steps: Int) throws {
    try Binary.withFolder { folder in
      let values = try metric(name, of: script, steps: steps, in: folder)
      #expect(values.count == steps)
      let quarter = steps / 4
      let gain = mean(values.suffix(quarter)) - mean(values.prefix(quarter))
      #expect(sign * gain > 0, "\(values)")
    }
  }

  @Test("DPO reads pairs from a file")
  func pairs() throws {
    try Binary.withFolder { folder in
      let rows = (1...32).map { #"{"prompt":"\#($0)+1=","chosen":"\#($0 + 1)","rejected":"0"}"# }
      try rows.joined(separator: "\n").write(
        to: folder.appendingPathComponent("pairs.jsonl"), atomically: true, encoding: .utf8)
      #expect(
        try metric("margin", of: "dpo", steps: 2, more: ["pairs.jsonl"], in: folder).count == 2)
    }
  }

  @Test("Fine-tuning stops early, keeps its best checkpoint, and is resumed")
  func earlyStop() throws {
    try Binary.withFolder { folder in
      let first = try Examples.run("loops/sft.lua", ["21", "run"], in: folder)
      #expect(first.status == 0, "\(first.errors)")
      let best = try #require(first.output.number(after: "best held-out loss"))
      #expect(first.output.contains(" in run/checkpoint/step-20\n"), "\(first.output)")
      let second = try Examples.run("loops/sft.lua", ["40", "run"], in: folder)
      #expect(second.status == 0, "\(second.errors)")
      #expect(!second.output.contains("\n     1  "), "\(second.output)")
      #expect(try #require(second.output.number(after: "best held-out loss")) <= best)
    }
  }
}
