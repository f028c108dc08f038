import Foundation
import TestSupport
import Testing

/// What a run writes for other programs, read by them; the specs tensorboard.lua and trackio.lua
/// check the same without Python.
@Suite("Experiment trackers", .serialized)
struct TrackerTests {
  static let tensorboard = Python.having("tensorboard", in: "trackers")
  static let missing = "no Python with TensorBoard: APO_PYTHON names one, or .build/trackers has it"

  @Test(
    "TensorBoard reads every step of a resumed run once",
    .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)),
    .enabled(if: tensorboard != nil, Comment(rawValue: "skipped: \(missing)")))
  func readsEvents() throws {
    let python = try #require(Self.tensorboard)
    try Binary.withFolder { folder in
      let stopped = try Binary.run(
        ["-e", Self.training("tensorboard = true", stop: 3)], in: folder)
      #expect(stopped.status == 1 && stopped.errors.contains("stopped here"), "\(stopped)")
      let again = try Binary.run(
        ["-e", Self.training("tensorboard = true, resume = 'step-2'", stop: 0)], in: folder)
      #expect(again.status == 0, "\(again)")
      let exported = try Binary.run(["export", "run", "--tensorboard", "copy"], in: folder)
      #expect(exported.status == 0, "\(exported)")
      for name in ["run", "copy"] {
        let read = try Python.run(
          python, ["-W", "ignore", "-c", Self.reader, folder.appendingPathComponent(name).path])
        #expect(read.output == Self.expected, "\(name): \(read)")
      }
    }
  }

  static let trackio = Python.having("trackio", in: "trackers")

  @Test(
    "Trackio reads every step of a resumed and of an exported run once",
    .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)),
    .enabled(
      if: trackio != nil,
      "skipped: no Python with trackio: APO_PYTHON names one, or .build/trackers has it"))
  func readsStore() throws {
    let python = try #require(Self.trackio)
    try Binary.withFolder { folder in
      let store = ["TRACKIO_DIR": folder.path + "/trackio"]
      let stopped = try Binary.run(
        ["-e", Self.training("trackio = 'math'", stop: 3)], environment: store, in: folder)
      #expect(stopped.status == 1 && stopped.errors.contains("stopped here"), "\(stopped)")
      // Trackio makes its other tables, and adds a run of its own.
      let added = try Python.run(python, ["-c", Self.adder], environment: store)
      #expect(added.status == 0, "\(added)")
      let again = try Binary.run(
        ["-e", Self.training("trackio = 'math', resume = 'step-2'", stop: 0)],
        environment: store, in: folder)
      #expect(again.status == 0, "\(again)")
      for project in ["math", "other"] {
        let exported = try Binary.run(
          ["export", "run", "--trackio", project], environment: store, in: folder)
        #expect(exported.status == 0, "\(exported)")
      }
      let read = try Python.run(
        python, ["-c", Self.storeReader, folder.path + "/run/metrics.jsonl"], environment: store)
      #expect(read.output == Self.expectedOfStore, "\(read)")
    }
  }

  private static let adder = """
    from trackio.sqlite_storage import SQLiteStorage
    SQLiteStorage.bulk_log("math", "theirs", [{"reward": 0.5}], steps=[1], run_id="abc")
    """

  private static let storeReader = """
    import json, sys
    import trackio
    from trackio.sqlite_storage import SQLiteStorage as Storage
    own = [json.loads(line) for line in open(sys.argv[1])]
    for project in ("math", "other"):
        for run in trackio.Api().runs(project):
            logs = Storage.get_logs(project, run.name, run_id=run.id)
            steps = [l["step"] for l in logs if "reward" in l]
            print(project, run.name, steps, [l["step"] for l in logs if "eval/reward" in l])
            if run.name != "run":
                continue
            for record in own:
                found = [l for l in logs if l["step"] == record["step"]
                         and ("reward" in l) == ("reward" in record) and "completions" not in l]
                assert len(found) == 1, (record["step"], found)
                for name, value in record.items():
                    assert name == "kind" or found[0][name] == value, (name, value, found[0])
            tables = [l["completions"] for l in logs if "completions" in l]
            print(len(tables), sorted(tables[0]["_value"][0]), tables[0]["_value"][0]["prompt"][:7])
            print(run.config["lr"], run.config["eval.every"], run.config["shuffle"])
    assert len({r.id for p in ("math", "other") for r in trackio.Api().runs(p)}) == 2
    """

  private static let expectedOfStore = """
    math run [1, 2, 3, 4] [0, 2, 4]
    4 ['completion', 'finish_reason', 'length', 'prompt', 'reward'] What is
    0.001 2 True
    math theirs [1] []
    other run [1, 2, 3, 4] [0, 2, 4]
    4 ['completion', 'finish_reason', 'length', 'prompt', 'reward'] What is
    0.001 2 True

    """

  /// A run of four steps with evaluations, which fails after one of them.
  static func training(_ options: String, stop: Int) -> String {
    """
    local apo = require "apo"
    local rows = {}
    for i = 1, 8 do rows[i] = {prompt = "What is " .. i .. "? <b>*</b>"} end
    local data = apo.dataset(rows)
    apo.train{
      policy = apo.load "\(Fixtures.path("models/tiny-qwen2-tied"))", data = data,
      reward = function(_, c) return #c.text % 2 end, target = function(s) return s.reward end,
      lr = 1e-3, batch_size = 2, max_tokens = 4, dir = "run", quiet = true, seed = 1,
      save_every = 2, eval = {data = data:take(2), every = 2}, \(options),
      on_step = function(record)
        if record.step == \(stop) then error("stopped here", 0) end
      end,
    }
    """
  }

  private static let reader = """
    import json, os, sys
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.plugins.hparams import metadata
    from tensorboard.plugin_util import markdown_to_safe_html
    folder = sys.argv[1]
    events = EventAccumulator(folder, size_guidance={"histograms": 0}); events.Reload()
    print([e.step for e in events.Scalars("reward")], [e.step for e in events.Scalars("eval/reward")])
    own = [json.loads(line) for line in open(os.path.join(os.path.dirname(folder), "run", "metrics.jsonl"))]
    for name in ("reward", "grad_norm", "num_tokens", "learning_rate", "eval/reward"):
        pairs = [(r["step"], r[name]) for r in own if name in r]
        read = [(e.step, e.value) for e in events.Scalars(name)]
        assert len(pairs) == len(read), (name, pairs, read)
        assert all(a[0] == b[0] and abs(a[1] - b[1]) <= 1e-6 * abs(a[1]) for a, b in zip(pairs, read))
    names = {n for r in own for n, v in r.items() if n != "step" and isinstance(v, (int, float))}
    print(sorted(names - set(events.Tags()["scalars"])))
    rewards = events.Histograms("histograms/reward")
    print([h.step for h in rewards], [sum(h.histogram_value.bucket) for h in rewards])
    assert all(len(h.histogram_value.bucket_limit) == len(h.histogram_value.bucket) for h in rewards)
    texts = events.Tensors("texts/completions")
    html = markdown_to_safe_html(texts[-1].tensor_proto.string_val[0])
    print([t.step for t in texts], html.count("<pre>"), "What is" in html, "<b>" in html)
    start = metadata.parse_session_start_info_plugin_data(
        events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
    end = metadata.parse_session_end_info_plugin_data(
        events.SummaryMetadata("_hparams_/session_end_info").plugin_data.content)
    print(start.hparams["lr"].number_value, start.hparams["eval.every"].number_value,
          start.hparams["shuffle"].bool_value, start.hparams["schedule"].string_value, end.status)
    """

  private static let expected = """
    [1, 2, 3, 4] [0, 2, 4]
    []
    [1, 2, 3, 4] [2.0, 2.0, 2.0, 2.0]
    [1, 2, 3, 4] 4 True False
    0.001 2.0 True constant 1

    """
}
