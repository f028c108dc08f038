import Foundation
import TestSupport
import Testing

/// What a script meets when a file is damaged or a function is misused: one clear message that
/// names the file and field or the line of the script, status 1, and every file as it was.
@Suite("Bad input", .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct BadInputTests {
  /// What the cases share; the statement of a case comes after it.
  private static let prelude = """
    local apo = require "apo"
    apo.seed(1)
    local model = apo.load("model")
    local data = apo.dataset{{prompt = "How many?"}, {prompt = "Tom has 3 apples"}}
    local function one() return 1 end
    local function with(changes)
      local options = {policy = model, data = data, reward = one, target = one, max_tokens = 3,
        lr = 1e-3, batch_size = 2, seed = 1, quiet = true}
      for name, value in pairs(changes) do options[name] = value end
      return options
    end
    local function values(reward)
      return apo.estimate_values{model = model, data = data, reward = reward, n = 2,
        max_tokens = 3, drop_unsolved = true, quiet = true}
    end

    """

  /// A statement, and how its message goes on after the script's name and line.
  struct Case: CustomStringConvertible {
    let statement: String
    let message: String
    var description: String { statement }
    init(_ statement: String, _ message: String) {
      (self.statement, self.message) = (statement, message)
    }
  }

  static let models: [Case] = [
    Case(#"apo.load("nowhere")"#, "nowhere: there is no such folder; models are read from disk"),
    Case(#"apo.load("no_weights")"#, "no_weights/model.safetensors: cannot be opened: No such"),
    Case(
      #"apo.load("truncated")"#,
      "truncated/model.safetensors: tensor 'model.layers.1.self_attn.v_proj.weight' has "
        + "data_offsets [242688, 247296], the data has 246488 bytes"),
    Case(
      #"apo.load("lying")"#,
      "lying/model.safetensors: tensor 'model.embed_tokens.weight' of shape [920, 48] and dtype "
        + "F32 does not fit its 61440 bytes"),
    Case(
      #"apo.load("endless")"#,
      "endless/model.safetensors: the header claims 9151314442816850520 bytes, the file has"),
    Case(
      #"apo.load("no_key")"#,
      "no_key/config.json: field 'hidden_size' is missing; it must be a positive integer"),
    Case(
      #"apo.load("no_number")"#,
      "no_number/config.json: field 'hidden_size' must be a positive integer, got \"many\""),
    Case(
      #"apo.load("mamba")"#,
      "mamba/config.json: field 'model_type' 'mamba' is not supported (supported: "),
    Case(
      #"apo.load("layers")"#,
      "layers/model.safetensors: 12 tensors are missing: 'model.layers.2.self_attn.q_proj.weight', "
    ),
    Case(#"apo.load("no_json")"#, "no_json/config.json: not valid JSON at line 1, column 16"),
    Case(
      #"apo.load("tokens")"#,
      "tokens/tokenizer.json: field 'model.type' 'Foo' is not a supported model"),
    Case("apo.load(12)", "bad argument #1 to 'load' (string expected, got number)"),
    Case(#"model:save("rows.jsonl")"#, "rows.jsonl: is not a folder"),
  ]

  static let files: [Case] = [
    Case(#"apo.dataset("missing.jsonl")"#, "missing.jsonl: cannot be opened: No such file"),
    Case(
      #"apo.dataset("rows.jsonl")"#,
      "rows.jsonl: line 2, column 17: not valid JSON: expected a key in double quotes"),
    Case(
      #"apo.dataset("questions.jsonl")"#,
      "questions.jsonl: line 1: the row has no 'prompt' (it has question)"),
    Case(
      #"apo.dataset("numbers.jsonl")"#,
      "numbers.jsonl: line 1: 'prompt' must be a string, a list of token ids or a list of messages, got number"
    ),
    Case(#"apo.dataset("empty.jsonl")"#, "empty.jsonl: there are no rows"),
    Case(
      "apo.estimate_values{model = model, data = data, reward = one, max_tokens = 3, "
        + #"path = "numbers.jsonl"}"#,
      "numbers.jsonl: line 1: not a values file; choose another path"),
    Case(
      #"apo.train(with{dir = "run"})"#,
      "run already holds a run: resume = true continues it, another dir starts a new one"),
    Case(
      #"apo.train(with{dir = "run", resume = true, lr = 2})"#,
      "run/run.json: the run was started with other settings (lr was 0.001, now 2); use them"),
    Case(
      #"apo.train(with{dir = "run", resume = true, target = function() return 2 end})"#,
      "run/run.json: the run was started with other settings (the code of 'target' has changed)"),
  ]

  static let functions: [Case] = [
    Case(
      "apo.train(with{reward = function() end})",
      "the reward function returned nil for row 1 (prompt: How many?); a reward must be a finite"),
    Case(
      "apo.train(with{reward = function() return -(0 / 0) end})",
      "the reward function returned nan for row 1 (prompt: How many?)"),
    Case(
      #"apo.train(with{reward = function() return "1" end})"#,
      "the reward function returned the string \"1\" for row 1"),
    Case(
      "apo.train(with{reward = function(row) return row.x.y end})",
      "attempt to index a nil value (field 'x')"),
    Case(
      "apo.train(with{target = function() return apo.ones(2) end})",
      "the target function returned userdata for sample 1 of step 1; it must return a finite number"
    ),
    Case(
      "apo.train(with{target = function() end})",
      "the target function returned nil for sample 1 of step 1"),
    Case(
      "apo.train(with{loss = function(b) return b.logp end})",
      "the loss function must return one number, got a tensor of shape [2]; :mean() is missing"),
    Case(
      "apo.train(with{loss = function(b) return b.logp:detach():mean() end})",
      "the loss does not depend on the policy: it was not computed from b.logp, or detached"),
    Case(
      "apo.train(with{loss = function() return 3 end})",
      "the loss function must return an apo.Tensor, got number"),
    Case(
      "apo.train(with{target = 3})",
      "train: option 'target' must be a function or string, got number"),
    Case(
      "local t = apo.ones(2):requires_grad_() t:backward()",
      "backward: a tensor with one element expected, got shape [2]"),
    Case(
      "apo.ones(1):sum():backward()",
      "backward: the tensor does not depend on anything that requires a gradient"),
  ]

  static let options: [Case] = [
    Case(
      "apo.train(with{learning_rate = 3})",
      "train: unknown option 'learning_rate'; `learning_rate` is called `lr` here"),
    Case(
      "apo.evaluate{policy = model, data = data}",
      "evaluate: unknown option 'policy'; `policy` is called `model` here"),
    Case(
      #"apo.train(with{reward = "gsm8k"})"#,
      "train: option 'reward': gsm8k: cannot be opened: No such file or directory; "
        + "apo.rewards.gsm8k{…} makes a reward"),
    Case(
      "apo.train(with{reward = apo.rewards.exact})",
      "apo.rewards.exact makes a reward and must be called: apo.rewards.exact{…}"),
    Case(
      "apo.score({}, {right = apo.rewards.gsm8k})",
      "apo.rewards.gsm8k makes a reward and must be called: apo.rewards.gsm8k{…}"),
    Case(
      "apo.train(with{eval = {data = data, evry = 3}})",
      "train: unknown option 'eval.evry'; did you mean 'every'?"),
    Case(
      #"model:generate("a", {max_token = 3})"#,
      "generate: unknown option 'max_token'; did you mean 'max_tokens'?"),
    Case(
      "apo.train(with{batch_size = 0})",
      "train: option 'batch_size' must be an integer of at least 1, got 0"),
    Case(#"apo.train(with{lr = "big"})"#, "train: option 'lr' must be a number"),
    Case(
      "apo.train(with{batch_size = 64, drop_last = true})",
      "train: 2 rows do not fill a batch of 64, and drop_last is set"),
    Case(
      #"apo.train(with{schedule = "linear", warmup = 1})"#,
      "train: option 'warmup' (1) must be less than the number of steps (1)"),
    Case("apo.train(with{data = data:take(0)})", "train: there are no rows to train on"),
    Case(
      "apo.train(with{values = values(function() return 0 end)})",
      "train: there are no rows to train on: drop_unsolved dropped all 2, for which no reference sample"
    ),
    Case(
      #"apo.train(with{values = values(one), data = apo.dataset{{prompt = "x"}}})"#,
      "train: row 1: it has no recorded value: it is not in the data that was sampled, or was "
        + "changed (prompt: x)"),
    Case(
      "apo.evaluate{model = model, data = data:take(0), reward = one, max_tokens = 3}",
      "evaluate: there are no rows"),
    Case(
      #"model:generate(("a"):rep(600), {max_tokens = 3})"#,
      "generate: prompt 1: the prompt has 600 tokens, which with max_tokens = 3 exceeds the model's context "
        + "of 512 (max_position_embeddings)"),
    Case(#"model:generate("")"#, "generate: prompt 1: it has no tokens; at least one expected"),
    Case(
      #"model:generate({{question = "a"}})"#,
      "generate: prompt 1: field 'prompt' is missing (row has: question)"),
    Case(
      "model:generate({{1, 2, 9999}})", "generate: prompt 1: token id 9999 is outside of 0..319"),
  ]

  @Test("Each gives its message, status 1, and leaves the files alone")
  func all() throws {
    try Binary.withFolder { folder in
      try DamagedFiles.write(in: folder.path)
      let first = try run(#"apo.train(with{dir = "run"})"#, in: folder)
      #expect(first.status == 0, "\(first.errors)")
      let before = try contents(of: folder)
      for test in Self.models + Self.files + Self.functions + Self.options {
        let result = try run(test.statement, in: folder)
        let line = Self.prelude.split(separator: "\n", omittingEmptySubsequences: false).count
        let expected = "apo-lua: stdin:\(line): \(test.message)"
        #expect(result.errors.contains(expected), "\(test): \(result.errors)")
        #expect(result.status == 1 && result.output.isEmpty, "\(test): \(result.output)")
      }
      #expect(try contents(of: folder) == before)
    }
  }

  private func run(_ statement: String, in folder: URL) throws -> RunResult {
    try Binary.run(["-"], input: Self.prelude + statement + "\n", in: folder)
  }

  /// All files below a folder.
  private func contents(of folder: URL) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
      files[path] = FileManager.default.contents(atPath: folder.path + "/" + path) ?? Data()
    }
    return files
  }
}
