import Foundation
import Testing

/// `scripts/bench` without its peers, on its smallest model. Nothing about times is asserted.
@Suite("Benchmark")
struct BenchmarkTests {
  private static func run(_ arguments: [String], in folder: URL) throws -> RunResult {
    let script = Checkout.folder.appendingPathComponent("scripts/benchmark/bench.lua").path
    return try Binary.run(
      [script] + arguments, environment: ["APO_BENCH_FOLDER": folder.path, "APO_THREADS": "2"])
  }

  @Test("Every row runs, with one and two threads, and the results are written")
  func rows() throws {
    try Binary.withFolder { folder in
      let names = try Self.run(["--list", "tiny"], in: folder)
      let rows = names.output.split(separator: "\n").map { String($0.dropFirst("tiny\t".count)) }
      #expect(rows.contains("generate 3") && rows.contains("GRPO step 2 x 2"), "\(names)")

      let result = try Self.run(["tiny", "--rounds", "1", "--threads", "1,2"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(!result.output.contains("failed"), "\(result.output)")
      for row in rows where row != "start-up" {
        #expect(result.output.contains("\n\(row) "), "\(row) is missing: \(result.output)")
      }
      #expect(result.output.contains("apo-lua x1"))
      let longest = result.output.split(separator: "\n").map(\.count).max()
      #expect(try #require(longest) <= 100, "\(result.output)")

      let markdown = try String(
        contentsOf: folder.appendingPathComponent("results/tiny.md"), encoding: .utf8)
      let head = "| | apo-lua | compute | memory | peak | apo-lua x1 |"
      #expect(markdown.contains(head), "\(markdown)")
      let json = try JSONSerialization.jsonObject(
        with: Data(contentsOf: folder.appendingPathComponent("results/tiny.json")))
      let measurements = (json as? [String: Any])?["measurements"] as? [[String: Any]]
      #expect(try #require(measurements?.count) > 2 * rows.count)
    }
  }

  @Test("An engine that does not start is a failed row, and wrong options are named")
  func failures() throws {
    try Binary.withFolder { folder in
      let result = try Self.run(
        ["tiny", "--rows", "score", "--against", "/no/such/program"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("score 3 by against failed; see "), "\(result.output)")
      #expect(result.output.contains("score 3            apo-lua"), "\(result.output)")

      for (arguments, text) in [
        (["X"], "bench: there is no model 'X'"), (["--fast"], "bench: there is no option --fast"),
        (["--rows"], "bench: --rows needs a value"),
        (["--rounds", "many"], "bench: --rounds needs numbers of at least 1"),
        (["--peers"], "bench: --peers needs APO_PYTHON"),
      ] {
        let refused = try Self.run(arguments, in: folder)
        #expect(refused.status == 2 && refused.errors.hasPrefix(text), "\(refused)")
      }
    }
  }
}
