import Lua
import Testing

@testable import ApoLua

@Suite("Names of options in other libraries")
struct OtherNameTests {
  /// The options of every declared function, and those inside them as `eval.every`.
  private func options() throws -> [String: Set<String>] {
    var all: [String: Set<String>] = [:]
    for case .function(let documented) in try documentedState().documented {
      for field in documented.function.parameters.flatMap({ $0.type.fields ?? [] }) {
        let inner = (field.type.fields ?? []).map { "\(field.name).\($0.name)" }
        all[documented.name, default: []].formUnion([field.name] + inner)
      }
    }
    return all
  }

  @Test("Each leads to an option that is there, and to no name that is one itself where it counts")
  func targets() throws {
    let options = try options()
    for row in OtherName.all {
      if let algorithm = row.algorithm {
        #expect(options["apo.algorithms.\(algorithm)"]?.contains(row.ours) == true, "\(row)")
      } else {
        #expect(options.values.contains { $0.contains(row.ours) }, "\(row)")
      }
    }
  }

  @Test("The names that people of TRL, verl, OpenRLHF and vLLM type are answered in apo.train")
  func answers() throws {
    let known = Array(try #require(try options()["apo.train"]).filter { !$0.contains(".") })
    let expected = [
      "learning_rate": "lr", "num_generations": "n", "per_device_train_batch_size": "batch_size",
      "kl_coef": "beta", "max_completion_length": "max_tokens", "max_new_tokens": "max_tokens",
      "epsilon": "clip", "num_train_epochs": "epochs", "warmup_ratio": "warmup",
      "gradient_accumulation_steps": "micro_batch", "lr_scheduler_type": "schedule",
      "reward_funcs": "reward", "output_dir": "dir", "eval_steps": "eval.every", "lam": "lambda",
    ]
    for (name, ours) in expected {
      let text = try #require(OtherName.explanation(of: name, known: known), "\(name)")
      #expect(text.hasPrefix("`\(name)` is called `\(ours)` here"), "\(text)")
    }
    #expect(OtherName.explanation(of: "batch_szie", known: known) == nil)
    #expect(
      OtherName.explanation(of: "beta", known: ["kl_coef", "n"])
        == "`beta` is called `kl_coef` here"
    )
  }

  @Test("A script hears the answer, in options and in options inside them")
  func errors() throws {
    let state = try makeInterpreter(ignoringEnvironment: true)
    let message = { (code: String) in
      try state.run(
        "local apo = require 'apo' return select(2, pcall(function() \(code) end))"
      ).first?.asString ?? ""
    }
    #expect(
      try message("apo.algorithms.grpo{epsilon = 0.1}").contains(
        "grpo: unknown option 'epsilon'; `epsilon` is called `clip` here"))
    #expect(
      try message("apo.train{policy = 1, num_generations = 2}").contains("policy"))
    #expect(
      try message("apo.optim.adamw({apo.zeros(1)}, {learning_rate = 1})").contains(
        "`learning_rate` is called `lr` here"))
  }
}
