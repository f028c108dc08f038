import Foundation
import Testing

/// The comparison of algorithms, with two of them and hundredths of its time.
@Suite("Comparison")
struct ComparisonTests {
  static let fewer = [
    (#"{"astarpo", "ppo", "grpo", "rebel", "rloo"}"#, #"{"astarpo", "grpo"}"#),
    ("100, {1, 2, 3}", "100, {1, 2}"),
  ]

  @Test("Runs of each algorithm, a table and plots; a second call has the results already")
  func addition() throws {
    try Binary.withFolder { folder in
      let arguments = ["runs", "400", "addition"]
      let first = try Examples.run("compare.lua", arguments, replacing: Self.fewer, in: folder)
      #expect(first.status == 0, "\(first.errors)")
      let runs = folder.appendingPathComponent("runs")
      let table = try String(
        contentsOf: runs.appendingPathComponent("comparison.md"), encoding: .utf8)
      #expect(first.output.contains(table))
      for name in ["A*-PO", "GRPO"] { #expect(table.contains("\n| \(name) | "), "\(table)") }
      let results = try FileManager.default.contentsOfDirectory(
        atPath: runs.appendingPathComponent("addition").path)
      #expect(results.count == 2 * (3 + 2), "\(results)")
      let page = try Data(contentsOf: runs.appendingPathComponent("comparison.html"))
      #expect(page.range(of: Data(#"class="band""#.utf8)) != nil)

      let second = try Binary.run(["compare.lua"] + arguments, in: folder)
      #expect(second.status == 0 && !second.errors.contains("sweep"), "\(second.errors)")
      #expect(second.output.contains(table))
    }
  }

  @Test("The countdown model is pre-trained, and learns; a task that does not exist is refused")
  func countdown() throws {
    try Binary.withFolder { folder in
      let made = try Examples.run("compare/pretrain.lua", ["countdown", "5"], in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let arguments = ["countdown", "rebel", "1e-4", "1", "0.1", "result.json", ".", "."]
      let run = try Examples.run("compare/run.lua", arguments, in: folder)
      #expect(run.status == 0 && run.output.hasPrefix("countdown  rebel    lr 0.0001 seed 1: "))
      let result = try JSONSerialization.jsonObject(
        with: Data(contentsOf: folder.appendingPathComponent("result.json")))
      let points = try #require((result as? [String: Any])?["points"] as? [[String: Double]])
      #expect(points.count >= 2 && (points.last?["tokens"] ?? 0) > 0, "\(run.output)")

      let wrong = try Examples.run("compare.lua", ["runs", "400", "chess"], in: folder)
      #expect(wrong.status != 0)
      #expect(wrong.errors.contains("there is no task 'chess' in compare/tasks.lua"))
    }
  }

  @Test("Times to an accuracy and averages over time, by hand")
  func report() throws {
    try Binary.withFolder { folder in
      let script = """
        local report = dofile(\(Examples.folder.path.debugDescription) .. "/compare/report.lua")
        local points = {{seconds = 0, tokens = 0, reward = 0.2}, {seconds = 4, tokens = 0, reward = 0.2},
          {seconds = 8, tokens = 100, reward = 0.6}, {seconds = 10, tokens = 200, reward = 0.4}}
        print(report.average(points), report.reached(points, 0.5, "seconds"))
        print(report.reached(points, 0.5, "tokens"), (report.reached(points, 0.7, "seconds")))
        """
      let path = folder.appendingPathComponent("points.lua")
      try script.write(to: path, atomically: true, encoding: .utf8)
      let result = try Binary.run([path.path], in: folder)
      // (4 * 0.2 + 4 * 0.4 + 2 * 0.5) / 10; three quarters of the way from 4 to 8 s.
      #expect(result.output == "0.34\t7.0\n75.0\tnil\n", "\(result.output) \(result.errors)")
    }
  }
}
