import Testing
import Text

@testable import Models
@testable import Tensors

/// Scoring that is told what the sampler recorded, against scoring that is not.
@Suite(.serialized) struct SampledLogProbabilityTests {
  private static let vocabulary = 60

  private func model(seed: UInt64 = 1) throws -> Transformer {
    let text = """
      {"model_type": "qwen2", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
       "num_key_value_heads": 2, "intermediate_size": 48, "vocab_size": \(Self.vocabulary),
       "max_position_embeddings": 128, "initializer_range": 0.3}
      """
    let json = try Array(text.utf8).withUnsafeBytes { try JSON.parse($0, file: "test") }
    return try Transformer.random(ModelConfiguration(json, source: "test"), seed: seed)
  }

  /// Samples of 40 prompts of different lengths, more than two groups' tokens, and what was
  /// recorded of them.
  private func samples(_ model: Transformer) throws -> ([TokenSequence], [Float]) {
    let options = try SamplingOptions(n: 2, maxTokens: 50, temperature: 0.8)
    let prompts = (0..<40).map { row in
      (0..<3 + row % 7).map { ($0 * 7 + row * 13) % Self.vocabulary }
    }
    let completions = try Generator(model, options, endTokens: [3], seed: 1, step: 1).generate(
      prompts.enumerated().map { GenerationRequest(prompt: $1, row: UInt64($0)) })
    let pairs = zip(prompts, completions).flatMap { prompt, list in list.map { (prompt, $0) } }
    return (
      pairs.map { TokenSequence(prompt: $0, completion: $1.ids) },
      pairs.flatMap { $1.logProbabilities }
    )
  }

  private func gradients(_ model: Transformer, _ scored: Tensor) throws -> [[Float]] {
    for (_, tensor) in model.parameters { tensor.clearGradient() }
    let logp = try scored.select(0)
    try (logp * logp).mean().backward()
    return try model.parameters.map { try #require($0.tensor.gradient).values }
  }

  @Test func valuesAreGivenAndGradientsComputed() throws {
    let model = try model()
    let (sequences, recorded) = try samples(model)
    #expect(
      groupCount(tokens: sequences.reduce(0) { $0 + $1.prompt.count + $1.completion.count }) > 1)
    let whole = try model.logProbabilities(sequences, temperature: 0.8)
    #expect(try whole.select(0).values == recorded)
    let expected = try gradients(model, whole)
    for size in [nil, 1, 7, 80] as [Int?] {
      let before = Storage.liveBytes
      let scored = try model.logProbabilities(
        sequences, temperature: 0.8, microBatch: size, sampled: recorded)
      if size != 80 { #expect(Storage.liveBytes - before == 2 * recorded.count * 4) }
      #expect(try scored.select(0).values == recorded)
      let found = try gradients(model, scored)
      for (a, b) in zip(found, expected) {
        let scale = b.reduce(0) { max($0, abs($1)) }
        #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 * max(scale, 1e-3) })
      }
      let again = try gradients(
        model,
        model.logProbabilities(sequences, temperature: 0.8, microBatch: size, sampled: recorded))
      #expect(again == found)
    }
  }

  @Test func aSecondBackwardComputesAgain() throws {
    let model = try model()
    let (sequences, recorded) = try samples(model)
    let scored = try model.logProbabilities(sequences, temperature: 0.8, sampled: recorded)
    let loss = try scored.select(0).mean()
    try loss.backward(retainGraph: true)
    let once = try #require(model.parameters[0].tensor.gradient).values
    try loss.backward()
    let twice = try #require(model.parameters[0].tensor.gradient).values
    #expect(zip(once, twice).allSatisfy { abs(2 * $0 - $1) <= 1e-5 })
  }

  @Test func valuesThatAreNotTheModelsAreAnError() throws {
    let model = try model()
    let (sequences, recorded) = try samples(model)
    var wrong = recorded
    wrong[recorded.count - 5] = recorded[recorded.count - 5].nextUp
    let scored = try model.logProbabilities(sequences, temperature: 0.8, sampled: wrong)
    let loss = try scored.sum()
    let error = #expect(throws: ModelError.self) { try loss.backward() }
    #expect("\(try #require(error))".hasPrefix("backward: 'logprobs' gave "))
    #expect(throws: ModelError.sampledCount(1, function: "logprobs", tokens: recorded.count)) {
      _ = try model.logProbabilities(sequences, sampled: [-1])
    }
  }

  @Test func withoutAGraphAndWithEntropiesTheyAreNotUsed() throws {
    let model = try model()
    let (sequences, recorded) = try samples(model)
    let wrong = recorded.map { $0 - 1 }
    let scored = try withoutGradients {
      try model.logProbabilities(sequences, temperature: 0.8, sampled: wrong)
    }
    #expect(try scored.select(0).values == recorded)
    let whole = try model.logProbabilities(sequences, temperature: 0.8, entropy: true)
    let entropies = try model.logProbabilities(
      sequences, temperature: 0.8, entropy: true, sampled: wrong)
    #expect(entropies.values == whole.values)
  }

  @Test func stampChangesWithTheWeights() throws {
    let model = try model()
    let stamp = model.weightStamp
    #expect(stamp == model.weightStamp)
    #expect(try stamp != model.clone().weightStamp)
    #expect(try stamp == model.base().weightStamp)
    let tensor = model.parameters[3].tensor
    tensor.storage.didChange()
    #expect(stamp != model.weightStamp)
    #expect(model.weightStamp == model.weightStamp)
  }

  /// Groups are alike in tokens, none is empty, and their order is that of the sequences.
  @Test func groupsAreBalanced() throws {
    let model = try model()
    let sequences = (0..<100).map { i in
      TokenSequence(
        prompt: [1, 2, 3], completion: Array(repeating: i % 50, count: 1 + i * 37 % 60))
    }
    let groups = model.grouped(sequences, size: nil)
    #expect(groups.flatMap { $0 }.map(\.completion) == sequences.map(\.completion))
    let sizes = groups.map { $0.reduce(0) { $0 + $1.prompt.count + $1.completion.count } }
    #expect(sizes.count == groupCount(tokens: sizes.reduce(0, +)))
    #expect(sizes.allSatisfy { $0 > 0 && $0 <= groupTokens + 64 })
    #expect(model.grouped(sequences, size: 30).map(\.count) == [30, 30, 30, 10])
    #expect(model.grouped([], size: nil).isEmpty && model.grouped([], size: 3).isEmpty)
  }
}
