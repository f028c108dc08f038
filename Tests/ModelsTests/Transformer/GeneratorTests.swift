import TestSupport
import Testing

@testable import Models
@testable import Tensors

@Suite(.serialized, .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct GeneratorTests {
  private func generate(
    _ model: Transformer, _ prompts: [[Int]], _ options: SamplingOptions, end: Set<Int> = []
  ) throws -> [[Completion]] {
    try Generator(model, options, endTokens: end, seed: 11, step: 3).generate(
      prompts.enumerated().map { GenerationRequest(prompt: $1, row: UInt64($0)) })
  }

  @Test(arguments: referenceModels)
  func greedyTokensEqualTransformers(name: String) throws {
    let reference = try ReferenceModel(name)
    let prompts = try reference.sequences("greedy").map(\.tokens)
    let expected = try reference.reference.at("greedy", "new_tokens").elements.map {
      $0.elements.map(\.intValue)
    }
    let options = try SamplingOptions(maxTokens: 16, temperature: 0)
    let ids = try generate(reference.model, prompts, options).map { $0[0].ids }
    #expect(ids == expected)
    let others = zip(ids.joined(), expected.joined()).count { $0 != $1 }
    _ = measured(Float(others), "greedy tokens that differ", of: name)

    let ended = try reference.reference.at("greedy_with_eos")
    let (eos, pad) = try (ended.at("eos_token_id").intValue, ended.at("pad_token_id").intValue)
    for (row, tokens) in try ended.at("new_tokens_padded").elements.enumerated() {
      let completion = try generate(reference.model, [prompts[row]], options, end: [eos])[0][0]
      let padded = completion.ids + Array(repeating: pad, count: 16 - completion.ids.count)
      #expect(padded == tokens.elements.map(\.intValue))
      #expect(completion.finishReason == (completion.ids.last == eos ? .eos : .length))
    }
  }

  @Test func storiesEqualThePublishedOutput() throws {
    let reference = try ReferenceModel("stories260K")
    let ids = try reference.reference.at("greedy_from_bos_200", "ids").elements.map(\.intValue)
    let options = try SamplingOptions(maxTokens: ids.count - 1, temperature: 0)
    #expect(try generate(reference.model, [[ids[0]]], options)[0][0].ids == Array(ids[1...]))
    for entry in try reference.reference.at("greedy").elements {
      let prompt = try entry.at("prompt_ids").elements.map(\.intValue)
      let expected = try entry.at("new_ids").elements.map(\.intValue)
      let options = try SamplingOptions(maxTokens: expected.count, temperature: 0)
      #expect(try generate(reference.model, [prompt], options)[0][0].ids == expected)
    }
  }

  @Test(arguments: ["stories260K", "tiny-qwen3", "tiny-mistral-swa", "tiny-gpt2"])
  func aSampleIsTheSameAloneAndInABatch(name: String) throws {
    let model = try Transformer(folder: Fixtures.path("models/\(name)"))
    let options = try SamplingOptions(n: 3, maxTokens: 70, temperature: 0.9)
    let prompts = (0..<40).map { i in [1, 185 + i % 20, 228 + i % 7, 299 - i].prefix(2 + i % 3) }
    let requests = prompts.enumerated().map {
      GenerationRequest(prompt: Array($1), row: UInt64($0))
    }
    func run(_ requests: [GenerationRequest]) throws -> [[Completion]] {
      try Generator(model, options, endTokens: [2, 126], seed: 5, step: 1)
        .generate(requests)
    }
    let together = try run(requests)
    for (request, expected) in zip(requests, together) {
      let alone = try run([request])[0]
      #expect(alone.map(\.ids) == expected.map(\.ids))
      let difference = largestDifference(
        alone.flatMap(\.logProbabilities), expected.flatMap(\.logProbabilities))
      #expect(measured(difference, "samples, in a batch and alone", of: name) == 0)
    }
    #expect(Set(together[0].map(\.ids)).count > 1)
    #expect(
      try run(requests.reversed()).reversed().map { $0.map(\.ids) }
        == together.map { $0.map(\.ids) })
  }

  /// Samples of a prompt attend to it together; sampled one by one, and scored, they have the same
  /// bits.
  ///
  /// With few sequences at a time, those that wait for a place fall behind the others of their
  /// prompt.
  @Test(
    arguments: ["stories260K", "tiny-qwen3", "tiny-mistral-swa", "tiny-llama-mha", "tiny-gpt2"],
    [256, 5])
  func samplesOfAPromptAreTheSameTogetherAndApart(name: String, atATime: Int) throws {
    let model = try Transformer(folder: Fixtures.path("models/\(name)"))
    let context = min(model.configuration.maxPositions, 215)
    let prompts = [1, 9, 63, 64, 65, 130].filter { $0 < context - 50 }.map { length in
      (0..<length).map { 3 + ($0 * 31 + length * 17) % 290 }
    }
    func run(n: Int, _ requests: [GenerationRequest], atATime: Int) throws -> [Completion] {
      try Generator(
        model, SamplingOptions(n: n, maxTokens: 40),
        endTokens: Set(stride(from: 5, to: 512, by: 23)), seed: 5,
        step: 1, maxSequences: atATime
      ).generate(requests).flatMap { $0 }
    }
    let together = try run(
      n: 9, prompts.enumerated().map { GenerationRequest(prompt: $1, row: UInt64($0)) },
      atATime: atATime)
    let apart = prompts.enumerated().flatMap { row, prompt in
      (0..<9).map { GenerationRequest(prompt: prompt, row: UInt64(row), firstSample: $0) }
    }
    let samples = try run(n: 1, apart, atATime: 256)
    #expect(together.map(\.ids) == samples.map(\.ids))
    #expect(together.map(\.logProbabilities) == samples.map(\.logProbabilities))
    #expect(Set(together.map(\.ids.count)).count > 5)
    let scored = try model.logProbabilities(
      zip(apart, together).map { TokenSequence(prompt: $0.prompt, completion: $1.ids) })
    #expect(
      Array(scored.values[..<scored.shape[1]]) == together.flatMap(\.logProbabilities))
  }

  @Test func moreSamplesThanTheCacheHoldsWaitTheirTurn() throws {
    let model = try Transformer(folder: Fixtures.path("models/tiny-llama-mha"))
    func run(n: Int, first: Int) throws -> [[Int]] {
      let request = GenerationRequest(prompt: [7, 8], row: 0, firstSample: first)
      return try Generator(
        model, SamplingOptions(n: n, maxTokens: 5), endTokens: [4], seed: 1, step: 0
      ).generate([request])[0].map(\.ids)
    }
    #expect(try run(n: 600, first: 0) == run(n: 200, first: 0) + run(n: 400, first: 200))
  }

  /// Prompts of many lengths with limits of their own, few at a time: sequences leave and enter at
  /// every step.
  @Test(arguments: ["tiny-llama-mha", "tiny-qwen3", "tiny-gpt2"], [1, 3, 7, 256])
  func completionsOfManyLengthsDoNotDependOnHowManyRun(name: String, atATime: Int) throws {
    let model = try Transformer(folder: Fixtures.path("models/\(name)"))
    let samples = 1 + atATime % 2
    func run(limits: [Int], atATime: Int) throws -> [[Completion]] {
      let requests = limits.enumerated().map { i, limit in
        GenerationRequest(
          prompt: (0...i % 7).map { 3 + ($0 * 31 + i * 17) % 290 }, row: UInt64(i),
          maxTokens: limit)
      }
      return try Generator(
        model, SamplingOptions(n: samples, maxTokens: 80), endTokens: [5],
        seed: 2, step: 9, maxSequences: atATime
      ).generate(requests)
    }
    let limits = (0..<25).map { 1 + $0 * 29 % 70 }
    let few = try run(limits: limits, atATime: atATime)
    let whole = try run(limits: limits.map { _ in 70 }, atATime: atATime + 2)
    for (index, (short, long)) in zip(few.joined(), whole.joined()).enumerated() {
      let limit = limits[index / few[0].count]
      #expect(short.ids == Array(long.ids.prefix(limit)))
      #expect(short.logProbabilities == Array(long.logProbabilities.prefix(limit)))
      #expect(short.finishReason == (short.ids.last == 5 ? .eos : .length))
    }
  }

  /// What steps and calls need is there from the ones before: cache, activations, logits.
  @Test func samplingAgainNeedsNoFreshMemory() throws {
    let team = Team.shared
    defer { Team.shared = team }
    let model = try Transformer(folder: Fixtures.path("models/tiny-llama-mha"))
    let prompts = (0..<12).map { i in (0...i).map { 3 + ($0 * 31 + i * 17) % 290 } }
    let options = try SamplingOptions(n: 4, maxTokens: 90)
    Team.shared = Team(threads: 1)
    let first = try generate(model, prompts, options)
    let before = (fresh: Storage.freshBytes, live: Storage.liveBytes)
    #expect(before.fresh > 0)
    let second = try generate(model, prompts, options)
    #expect(Storage.freshBytes == before.fresh)
    #expect(Storage.liveBytes == before.live)
    #expect(first.joined().map(\.ids) == second.joined().map(\.ids))

    // What two lanes need at the same time depends on how they meet, and is had once: 540 steps
    // take 60 kB and more each.
    Team.shared = Team(threads: 2)
    for _ in 0..<6 { _ = try generate(model, prompts, options) }
    #expect(Storage.freshBytes - before.fresh < 4 << 20)
    #expect(Storage.liveBytes == before.live)
  }

  /// DESIGN's fifth promise: what the sampler recorded is what training computes, to the bit.
  @Test(arguments: referenceModels + ["stories260K"], [1, 0.7])
  func sampledLogProbabilitiesAreTheScoredOnes(name: String, temperature: Double) throws {
    let model = try Transformer(folder: Fixtures.path("models/\(name)"))
    let options = try SamplingOptions(n: 2, maxTokens: 68, temperature: temperature)
    let prompts = (0..<20).map { i in (0...i % 9).map { 3 + ($0 * 31 + i * 17) % 290 } }
    let completions = try generate(model, prompts, options, end: [5])
    let sequences = zip(prompts, completions).flatMap { prompt, samples in
      samples.map { TokenSequence(prompt: prompt, completion: $0.ids) }
    }
    let scored = try model.logProbabilities(sequences, temperature: 1 / Float(1 / temperature))
    let sampled = completions.joined().flatMap(\.logProbabilities)
    let difference = largestDifference(scored.values[..<scored.shape[1]], sampled)
    #expect(measured(difference, "log-probabilities, sampled and scored", of: name) == 0)
  }

  @Test func errorsNameTheLimit() throws {
    let model = try Transformer(folder: Fixtures.path("models/tiny-qwen2-tied"))
    let options = try SamplingOptions(maxTokens: 500)
    #expect(
      errorText { _ = try generate(model, [[1], Array(repeating: 1, count: 20)], options) }
        == "generate: prompt 2 has 20 tokens, which with max_tokens = 500 exceeds the model's "
        + "context of 512 (max_position_embeddings)")
    let request = GenerationRequest(prompt: [1, 2, 3], row: 0, maxTokens: 510)
    #expect(
      errorText {
        _ = try Generator(model, options, endTokens: [], seed: 0, step: 0).generate([request])
      }
        == "generate: prompt 1 has 3 tokens, which with max_tokens = 510 exceeds the model's "
        + "context of 512 (max_position_embeddings)")
    #expect(
      errorText { _ = try generate(model, [[]], options) }
        == "generate: prompt 1 is empty; at least one token expected")
    #expect(
      errorText { _ = try generate(model, [[999]], options) }
        == "generate: prompt 1: token id 999 is outside of 0..319")
  }
}
