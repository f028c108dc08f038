import TestSupport
import Testing
import Text

@testable import Models
@testable import Tensors

/// Models that round keys and values to bfloat16: the same function whether they are sampled,
/// scored or trained.
@Suite(.serialized, .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct KeyValueTypeTests {
  private static let names = referenceModels + ["stories260K"]

  private func load(_ name: String, _ type: ScalarType = .bfloat16) throws -> Transformer {
    try Transformer(folder: Fixtures.path("models/\(name)"), keyValues: type)
  }

  private func tokens(_ count: Int, _ seed: Int) -> [Int] {
    (0..<count).map { 3 + ($0 * 31 + seed * 17 + $0 * $0 % 7) % 290 }
  }

  @Test(arguments: names)
  func cachedDecodingEqualsTheFullPass(name: String) throws {
    let model = try load(name)
    let ids = tokens(100, 1)
    try withoutGradients {
      let full = try model.logits(ids).values
      let cache = KVCache(model)
      let sequence = cache.newSequence()
      var cached: [Float] = []
      for range in [0..<30] + (30..<100).map({ $0..<$0 + 1 }) {
        let batch = RaggedBatch(lengths: [range.count], past: [range.lowerBound])
        let hidden = try model.hiddenStates(
          Array(ids[range]), batch, cache: CacheBatch(cache, [sequence], lengths: [range.count]))
        cached += try Tensor.linear(hidden, model.lmHead).values
      }
      #expect(full.map(\.bitPattern) == cached.map(\.bitPattern))
      let exact = try load(name, .float32).logits(ids).values
      let difference = largestDifference(full, exact)
      let largest = exact.reduce(0) { max($0, abs($1)) }
      #expect(difference > 0 && difference < 0.05 * largest)
    }
  }

  @Test(arguments: names, [1, 2])
  func scoredIsSampledToTheBit(name: String, threads: Int) throws {
    let before = Team.shared
    defer { Team.shared = before }
    Team.shared = Team(threads: threads)
    let model = try load(name)
    let options = try SamplingOptions(n: 3, maxTokens: 40, temperature: 0.8)
    let prompts = [tokens(3, 1), tokens(64, 2), tokens(50, 3)]
    func run(_ rows: [Int]) throws -> [[Completion]] {
      try Generator(model, options, endTokens: [], seed: 3, step: 1).generate(
        rows.map { GenerationRequest(prompt: prompts[$0], row: UInt64($0)) })
    }
    let together = try run([0, 1, 2])
    for row in 0..<3 {
      let alone = try run([row])[0]
      #expect(alone.map(\.ids) == together[row].map(\.ids))
      #expect(alone.map(\.logProbabilities) == together[row].map(\.logProbabilities))
    }
    let sequences = zip(prompts, together).flatMap { prompt, completions in
      completions.map { TokenSequence(prompt: prompt, completion: $0.ids) }
    }
    // Without a graph, and with one.
    let sampled = together.joined().flatMap(\.logProbabilities)
    let scored = try withoutGradients {
      try model.logProbabilities(sequences, temperature: 0.8).select(0).values
    }
    #expect(scored == sampled)
    let trained = try model.logProbabilities(sequences, temperature: 0.8).select(0)
    #expect(trained.values == sampled)
    try trained.sum().backward()
    #expect(model.parameters.allSatisfy { $0.tensor.gradient != nil })
  }

  @Test func copiesComputeTheSame() throws {
    let model = try load("tiny-qwen2-tied")
    let sequence = TokenSequence(prompt: tokens(20, 1), completion: tokens(30, 2))
    func score(_ model: Transformer) throws -> [UInt32] {
      try withoutGradients {
        try model.logProbabilities([sequence]).select(0).values.map(\.bitPattern)
      }
    }
    let configuration = try LoRAConfiguration(
      .object([JSON.Member("peft_type", .string("LORA")), JSON.Member("r", .integer(2))]),
      source: "test", model.configuration.architecture)
    let adapted = try model.clone().adapted(
      by: model.newAdapter(configuration, source: "test", seed: 1))
    let copies = try [model.clone(), adapted, adapted.base(), adapted.merged()]
    for copy in copies {
      #expect(copy.keyValueType == .bfloat16)
      #expect(try score(copy) == score(model))
    }
    #expect(try model.clone(as: .bfloat16).keyValueType == .bfloat16)
    #expect(try copies[0].checksum == model.checksum)
  }

  @Test func theyAreOtherModels() throws {
    let (rounded, exact) = try (load("tiny-llama-mha"), load("tiny-llama-mha", .float32))
    #expect(try rounded.checksum != exact.checksum)
    let plain = try Transformer(folder: Fixtures.path("models/tiny-llama-mha"))
    #expect(plain.keyValueType == .float32)
    try withTemporaryFolder { folder in
      try rounded.save(folder: folder)
      #expect(try Transformer(folder: folder).checksum == exact.checksum)
    }
  }

  @Test func theCacheTakesHalfTheMemory() throws {
    let c = try load("tiny-llama-mha").configuration
    let bytes = KVCache.bytesPerToken(c.architecture, .float32)
    #expect(bytes == c.layerCount * 2 * c.keyValueHeadCount * c.headSize * 4)
    // Values are padded to 32 elements.
    let padded = (c.headSize + 31) / 32 * 32
    #expect(
      KVCache.bytesPerToken(c.architecture, .bfloat16)
        == c.layerCount * c.keyValueHeadCount * (c.headSize + padded) * 2)
  }
}
