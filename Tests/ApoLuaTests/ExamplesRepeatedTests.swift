import Foundation
import TestSupport
import Testing

/// Both stages as processes of their own: the same bytes whenever they run, on any number of
/// threads, killed on the way or not.
@Suite(
  "The same bytes", .serialized,
  .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct ExamplesRepeatedTests {
  /// Stage 1 calls the reward 48 times and writes every 16; stage 2 calls it 24 times in 6 steps.
  /// `KILL` is the call in which the process dies.
  private static let script = """
    local apo = require "apo"
    apo.seed(7)
    local rows = {}
    for i = 1, 12 do rows[i] = {prompt = "What is " .. i .. " plus 2?"} end
    local data, calls = apo.dataset(rows), 0
    local function reward(_, completion)
      calls = calls + 1
      if calls == tonumber(os.getenv("KILL")) then os.execute("kill -9 $PPID") end
      return #completion.text % 3 / 2
    end
    local policy = apo.load("\(Fixtures.path("models/tiny-qwen2-tied"))")
    local values = apo.estimate_values{
      model = policy, data = data, reward = reward, n = 4, max_tokens = 8, batch_size = 4,
      path = "values.jsonl",
    }
    apo.train{
      policy = policy, data = data, values = values, reward = reward, beta = 1e-2, lr = 3e-3,
      batch_size = 4, mini_batch = 2, epochs = 2, max_tokens = 8, entropy_coef = 0.001,
      dir = "run", resume = true, save_every = 2,
    }
    """

  private static let files = [
    "values.jsonl", "run/completions.jsonl",
    "run/checkpoint/step-6/policy/model.safetensors",
    "run/checkpoint/step-6/optimizer.safetensors",
  ]

  private func run(in folder: URL, _ environment: [String: String] = [:]) throws -> RunResult {
    let script = folder.appendingPathComponent("script.lua")
    try Self.script.write(to: script, atomically: true, encoding: .utf8)
    return try Binary.run(["script.lua"], environment: environment, in: folder)
  }

  /// The contents of the files, and the figures without those that clocks and memory give.
  private func bytes(in folder: URL) throws -> [Data] {
    let metrics = try String(
      contentsOf: folder.appendingPathComponent("run/metrics.jsonl"), encoding: .utf8)
    let changing = ["timing_s/", "perf/", "\"seconds\"", "\"step_time\""]
    let figures = metrics.split { $0 == "," || $0 == "\n" }
      .filter { figure in !changing.contains { figure.contains($0) } }
    #expect(figures.count > 6 * 20)
    return [Data(figures.joined(separator: ",").utf8)]
      + (try Self.files.map { try Data(contentsOf: folder.appendingPathComponent($0)) })
  }

  @Test("Run again, and on one and on two threads")
  func threads() throws {
    let all = try ["1", "1", "2"].map { threads in
      var result: [Data] = []
      try Binary.withFolder { folder in
        let run = try run(in: folder, ["APO_THREADS": threads])
        #expect(run.status == 0, "\(run.errors)")
        result = try bytes(in: folder)
      }
      return result
    }
    #expect(all[0] == all[1] && all[0] == all[2])
  }

  @Test("Killed in both stages, between checkpoints, and resumed")
  func killed() throws {
    try Binary.withFolder { whole in
      #expect(try run(in: whole).status == 0)
      try Binary.withFolder { folder in
        // Calls 1 to 48 are stage 1 at first; a resumed process finds what was written before.
        for (call, figures) in [(20, nil), (20, nil), (16 + 15, 3), (11, 4)] as [(Int, Int?)] {
          let result = try run(in: folder, ["KILL": "\(call)"])
          #expect(result.status == 9, "\(result.errors)")
          let metrics = try? String(
            contentsOf: folder.appendingPathComponent("run/metrics.jsonl"), encoding: .utf8)
          #expect(metrics?.split(separator: "\n").count == figures)
        }
        let result = try run(in: folder)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try bytes(in: folder) == bytes(in: whole))
      }
    }
  }
}
