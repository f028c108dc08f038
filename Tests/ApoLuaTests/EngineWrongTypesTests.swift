import Lua
import Tensors
import TestSupport
import Testing

@testable import ApoLua

@Suite("Wrong values for the whole module", .serialized)
struct EngineWrongTypesTests {
  /// They would write files, wait for input or print.
  static let skipped: Set = [
    "apo.Model:save", "apo.Optimizer:save", "apo.json.write", "apo.help",
  ]

  /// One object of each class, and some that are special.
  static let objects = """
    local apo = require "apo"
    local tokenizer = apo.char_tokenizer{alphabet = "0123456789+="}
    local model = apo.new_model{
      model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
      intermediate_size = 8, max_position_embeddings = 24, tokenizer = tokenizer}
    local freed = apo.ones(2)
    freed:free()
    local next_name = model:named_parameters()
    return apo.ones(2, 3), apo.tensor(1), apo.zeros(0), freed, apo.ones(2):requires_grad_(),
      model, tokenizer, model:generate("1+1="), apo.rollout{{prompt = "1=", text = "2"}},
      apo.optim.adamw(model), apo.schedule.constant(), next_name
    """

  @Test("100,000 calls with every value in every position trap nothing and leak nothing")
  func everyFunction() throws {
    try withLua { state in
      let objects = try state.callKeepingResults(state.load(Self.objects, name: "=objects"))
        .map { LuaValue.reference($0) }
      var driver = WrongTypes(state, skipping: try skipped(state))
      try driver.run(extra: objects)
      state.collectGarbage()
      let before = Storage.liveBytes
      while driver.calls < 100_000 { try driver.run(extra: objects) }
      state.collectGarbage()
      #expect(Storage.liveBytes == before)
      #expect(driver.badMessages == [])
      #expect(driver.errors > driver.calls / 2)
    }
  }

  @Test("100,000 calls with random values, mostly of the declared types, trap and leak nothing")
  func randomValues() throws {
    let before = Storage.liveBytes
    try withLua { state in
      let objects = try state.callKeepingResults(state.load(Self.objects, name: "=objects"))
      let skipped = try skipped(state)
      let functions = try state.documentedFunctions().filter { !skipped.contains($0.0.name) }
      var calls = RandomCalls(state, objects: objects)
      for round in 0..<100_000 {
        let (documented, function) = functions[round % functions.count]
        calls.call(documented, function)
      }
      #expect(calls.errors > 10_000 && calls.errors < 90_000)
    }
    #expect(Storage.liveBytes == before)
  }

  private func skipped(_ state: LuaState) throws -> Set<String> {
    let system = try state.documentedFunctions().map(\.0.name).filter {
      $0.hasPrefix("apo.system.")
    }
    return Self.skipped.union(system)
  }
}
