// The contract with scripts, DESIGN.md section 4: its two listings run as they stand on the page,
// and every name in it exists.

import Foundation
import Lua
import TestSupport
import Testing

@testable import ApoLua

@Suite("Contract", .serialized)
struct ContractTests {
  /// The section of the page, nil where the page is not there.
  static let section: String? = {
    guard let fixtures = Fixtures.folder,
      let page = try? String(contentsOfFile: fixtures + "/../DESIGN.md", encoding: .utf8),
      let start = page.range(of: "\n## 4."), let end = page.range(of: "\n## 5.")
    else { return nil }
    return String(page[start.lowerBound..<end.lowerBound])
  }()

  @Test("The listings run as they stand", .enabled(if: section != nil, "\(Fixtures.missing)"))
  func listings() throws {
    let blocks = Page(try #require(Self.section)).blocks
    try #require(blocks.count == 2)
    try Lesson.withFolder { folder in
      // The second listing goes on with the names of the first.
      let script = blocks.map(\.text).joined()
      let output = try Lesson.run(script, named: "run.lua", in: folder).output
      let lines = output.split(separator: "\n")
      try #require(lines.count > 5)
      for step in 1...4 { #expect(lines[step - 1].hasPrefix("\(step)\t")) }
      #expect(Double(lines[4]) != nil)  // the accuracy
      #expect(output.contains("step  reward  v_star"))
      for file in ["values.jsonl", "final/config.json", "final/model.safetensors", "report.html"] {
        let path = folder.appendingPathComponent("runs/arithmetic/\(file)").path
        #expect(FileManager.default.fileExists(atPath: path), "\(file)")
      }
    }
  }

  @Test("Every apo.… of the page exists", .enabled(if: section != nil, "\(Fixtures.missing)"))
  func modules() throws {
    let state = try documentedState()
    for match in try #require(Self.section).matches(of: /apo((?:\.[a-z0-9_]+)+)/) {
      let path = String(match.1.dropFirst())
      let found = try state.run(
        """
        local value = require "apo"
        for name in ("\(path)"):gmatch("[^.]+") do value = value[name] end
        return value ~= nil
        """)
      #expect(found.first?.asBoolean == true, "apo.\(path)")
    }
  }

  @Test("Methods", arguments: Contract.methods)
  func methods(_ type: String, _ names: String) throws {
    let all = Set(try documentedState().documented.map(\.name))
    for name in names.split(separator: " ") {
      #expect(all.contains("\(type):\(name)"), "\(type):\(name)")
    }
  }

  /// The names of parameters and of all fields in them.
  private func allNames(_ parameters: [Parameter]) -> [String] {
    parameters.flatMap { [$0.name] + allNames($0.type.fields ?? []) }
  }

  @Test("Options", arguments: Contract.options)
  func options(_ function: String, _ names: String) throws {
    let known = try documentedState().documented.compactMap { documentation -> [Parameter]? in
      guard case .function(let found) = documentation, found.name == function else { return nil }
      return found.function.parameters
    }.flatMap(allNames)
    for name in names.split(separator: " ").map(String.init) {
      #expect(known.contains(name), "\(function): \(name)")
    }
  }

  @Test("Fields of objects and results")
  func fields() throws {
    try Lesson.withFolder { folder in
      _ = try Lesson.run(Contract.script, named: "fields.lua", in: folder)
    }
  }
}

/// What section 4 names, by hand.
private enum Contract {
  static let methods = [
    (
      "apo.Tensor",
      """
      shape size item totable exp log sqrt tanh sigmoid relu abs clamp minimum maximum where sum \
      mean max min logsumexp softmax log_softmax matmul reshape transpose narrow gather eq gt lt \
      ge le detach requires_grad_ backward __add __sub __mul __div __pow __unm __len
      """
    ),
    (
      "apo.Model",
      """
      clone freeze save parameters named_parameters parameter num_parameters logits generate \
      logprobs
      """
    ),
    ("apo.Tokenizer", "encode decode __len"),
    ("apo.Rollout", "slice sum mean expand __len"),
    ("apo.Values", "of with_beta rewards"),
    ("apo.Optimizer", "step zero_grad"),
    ("apo.Dataset", "map filter shuffle split take batches"),
  ]

  static let options = [
    (
      "apo.Model:generate",
      "n max_tokens temperature top_k top_p min_p stop ignore_eos seed"
    ),
    ("apo.Model:logprobs", "per_token temperature entropy micro_batch"),
    ("apo.Tokenizer:encode", "add_special_tokens"),
    ("apo.Tokenizer:decode", "skip_special_tokens"),
    ("apo.Optimizer:step", "max_grad_norm"),
    ("apo.optim.adamw", "lr betas eps weight_decay"),
    ("apo.dataset", "prompt"),
    ("apo.Dataset:batches", "size epochs shuffle"),
    (
      "apo.estimate_values",
      "model data reward n beta temperature max_tokens path mode drop_unsolved"
    ),
    (
      "apo.train",
      """
      policy reference data values reward target loss beta lr batch_size epochs max_tokens eval \
      dir every
      """
    ),
    ("apo.evaluate", "model data reward n temperature max_tokens"),
  ]

  static let script = """
    local apo = require "apo"
    local function has(object, names)
      for name in names:gmatch("%S+") do
        if object[name] == nil then error("'" .. name .. "' is missing", 2) end
      end
    end
    local model = apo.load("models/arithmetic")
    local data = apo.dataset("data/train.jsonl")
    has(apo, "cat stack")
    has(apo.rewards, "gsm8k math countdown multiply")
    has(model, "config tokenizer")
    has(model.tokenizer, "eos_id")
    local rollout = model:generate(data:take(2), {max_tokens = 3})
    assert(#rollout == 2 and #data == 24 and data[1].prompt)
    has(rollout[1], "text ids prompt prompt_ids row finish_reason logprob")
    for _, mode in ipairs{"optimal", "mean", "max", "zero"} do apo.optimal_value({0, 1}, 0.5, mode) end

    apo.rollout{{prompt_ids = {1, 2}, ids = {3}}, {prompt = "1+1=", text = "2"}}
    for _, prompt in ipairs{"1+1=", model.tokenizer:encode("1+1=")} do model:generate(prompt) end
    local function reward() return {right = 1, short = 0.5} end
    local result = apo.evaluate{model = model, data = data:take(2), reward = reward, n = 2,
                                temperature = 1, max_tokens = 3}
    has(result, "mean pass_at maj_at rows")
    assert(result.pass_at[1] and result.maj_at[2])
    local t = apo.ones(2, 3):requires_grad_()
    local loss = (t ^ 2):sum()
    loss:backward()
    assert(t.grad:shape()[2] == 3 and #t == 2 and t[1]:size(-1) == 3)
    apo.optim.adamw({t}, {lr = 1e-3}).lr = 1e-4
    for _, shape in ipairs{"constant", "linear", "cosine"} do
      assert(apo.schedule[shape]{lr = 1, total_steps = shape ~= "constant" and 10 or nil}(1))
    end
    """
}
