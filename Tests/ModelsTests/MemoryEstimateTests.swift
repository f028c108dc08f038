import Core
import TestSupport
import Testing
import Text

@testable import Models
@testable import Tensors
@testable import Training

/// The estimate against the most bytes that storages held in real steps.
@Suite(.serialized) struct MemoryEstimateTests {
  /// Sizes of a model and of what is done with it.
  struct Shape: CustomTestStringConvertible, Sendable {
    var type = "qwen2"
    var hidden = 64
    var layers = 3
    var inner = 160
    var vocabulary = 300
    var ties = true
    var batch = 12
    var samples = 1
    var micro: Int?
    /// Whether log-probabilities are taken from the sampler.
    var fresh = false
    var prompt = 24
    var tokens = 40
    var testDescription: String {
      "\(type) C \(hidden) L \(layers) I \(inner) V \(vocabulary) B \(batch)x\(samples) "
        + "micro \(micro ?? 0) \(fresh ? "fresh" : "") \(prompt)+\(tokens)"
    }

    func configuration() throws -> ModelConfiguration {
      let text =
        type == "gpt2"
        ? """
        {"model_type": "gpt2", "n_embd": \(hidden), "n_layer": \(layers), "n_head": 4,
         "n_inner": \(inner), "vocab_size": \(vocabulary), "n_positions": 256}
        """
        : """
        {"model_type": "\(type)", "hidden_size": \(hidden), "num_hidden_layers": \(layers),
         "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": \(hidden / 4),
         "intermediate_size": \(inner), "vocab_size": \(vocabulary),
         "max_position_embeddings": 256, "tie_word_embeddings": \(ties)}
        """
      return try MemoryEstimateTests.configuration(text)
    }
  }

  static let shapes = [
    Shape(),
    Shape(ties: false, batch: 3),
    Shape(type: "qwen3", batch: 40),
    Shape(type: "gpt2", batch: 6),
    Shape(type: "llama", hidden: 128, layers: 6, inner: 384, vocabulary: 1000, batch: 16),
    Shape(type: "llama", hidden: 128, layers: 6, inner: 384, batch: 16, micro: 4),
    Shape(hidden: 256, layers: 4, inner: 1024, vocabulary: 512, batch: 4),
    Shape(hidden: 128, layers: 2, inner: 256, vocabulary: 8192, batch: 24, micro: 1),
    Shape(batch: 4, samples: 16, micro: 8, prompt: 100, tokens: 100),
    Shape(type: "llama", hidden: 128, layers: 6, inner: 384, batch: 48, fresh: true),
    Shape(
      hidden: 256, layers: 4, inner: 1024, vocabulary: 512, batch: 32, fresh: true, tokens: 128),
    Shape(batch: 8, fresh: true),
    Shape(batch: 4, samples: 16, micro: 8, fresh: true, prompt: 100, tokens: 100),
  ]

  @Test(arguments: shapes, [ScalarType.float32, .bfloat16])
  func agreesWithTheMostThatStoragesHeld(shape: Shape, reference type: ScalarType) throws {
    let configuration = try shape.configuration()
    let start = Storage.liveBytes
    let policy = try Transformer.random(configuration, seed: 1)
    #expect(policy.parameterCount == configuration.parameterCount)
    #expect(Storage.liveBytes - start == configuration.architecture.weightBytes(as: .float32))
    let reference = try policy.clone(as: type)
    try reference.setTrainable(false)
    #expect(reference.residentBytes == configuration.architecture.weightBytes(as: type))

    Storage.resetPeak()
    let optimizer = try AdamW(policy.parameters, options: AdamWOptions(learningRate: 1e-3))
    for step in 0..<2 {
      try run(shape, step, policy, reference, optimizer)
    }
    let peak = Storage.peakBytes - start

    var plan = MemoryPlan(
      policy: (configuration, .float32), reference: (configuration, type),
      trainedCount: policy.trainedCount)
    plan.batchSize = shape.batch
    plan.samples = shape.samples
    plan.microBatch = shape.micro
    plan.isFresh = shape.fresh
    plan.promptTokens = shape.prompt
    plan.maxTokens = shape.tokens
    let estimate = try MemoryEstimate(plan)
    let ratio = Double(estimate.total) / Double(peak)
    #expect((0.9...1.15).contains(ratio), "estimate / peak is \(ratio)")
    withExtendedLifetime((policy, reference)) {}
  }

  @Test(arguments: shapes, KVCache.types)
  func agreesForSamplingAlone(shape: Shape, keyValues: ScalarType) throws {
    let configuration = try shape.configuration()
    // The most of three runs: on a busy machine threads that decode alone may not overlap.
    var peak = 0
    for _ in 0..<3 {
      let start = Storage.liveBytes
      let model = try Transformer.random(configuration, keyValues: keyValues, seed: 1)
      try model.setTrainable(false)
      Storage.resetPeak()
      // The second time all packed copies are there from the start.
      for step in 0..<2 { _ = try generate(shape, model, step: step) }
      peak = max(peak, Storage.peakBytes - start)
      withExtendedLifetime(model) {}
    }
    var plan = MemoryPlan(policy: (configuration, .float32), reference: nil, trainedCount: 0)
    plan.keyValueType = keyValues
    plan.batchSize = shape.batch
    plan.samples = shape.samples
    plan.promptTokens = shape.prompt
    plan.maxTokens = shape.tokens
    let estimate = try MemoryEstimate(plan)
    let ratio = Double(estimate.weights + estimate.packed + estimate.generation) / Double(peak)
    #expect((0.9...1.15).contains(ratio), "estimate / peak is \(ratio)")
  }

  /// The smallest and the largest models that a config.json may describe.
  private static func extremes() throws -> [ModelConfiguration] {
    let shapes = [
      Shape(type: "llama", hidden: 8, layers: 1, inner: 1, vocabulary: 1),
      Shape(type: "gpt2", hidden: 1 << 18, layers: 4096, inner: 1 << 20, vocabulary: 1 << 24),
      Shape(type: "qwen3", hidden: 1 << 16, layers: 4096, inner: 1 << 20, vocabulary: 1 << 24),
    ]
    let largest = """
      {"model_type": "llama", "hidden_size": 262144, "num_hidden_layers": 4096,
       "num_attention_heads": 16384, "head_dim": 16384, "intermediate_size": 1048576,
       "vocab_size": 16777216, "max_position_embeddings": 268435456}
      """
    let narrow = """
      {"model_type": "qwen3", "hidden_size": 1, "num_hidden_layers": 4096,
       "num_attention_heads": 16384, "head_dim": 2, "intermediate_size": 1, "vocab_size": 2,
       "num_key_value_heads": 16384, "max_position_embeddings": 2}
      """
    return try shapes.map { try $0.configuration() } + [largest, narrow].map(configuration)
  }

  static func configuration(_ text: String) throws -> ModelConfiguration {
    let json = try Array(text.utf8).withUnsafeBytes { try JSON.parse($0, file: "test") }
    return try ModelConfiguration(json, source: "test")
  }

  /// No sizes overflow: an estimate is made, or an error says that they are too large.
  @Test func hugeSizesAreCountedOrRefused() throws {
    var (counted, refused) = (0, 0)
    let sizes = stride(from: 0, through: 40, by: 4).map { 1 << $0 }
    for configuration in try Self.extremes() {
      for (index, type) in KVCache.types.enumerated() {
        for batch in sizes {
          for (samples, tokens) in [1, 1 << 20].flatMap({ n in sizes.map { (n, $0) } }) {
            var plan = MemoryPlan(
              policy: (configuration, .float32), reference: (configuration, .bfloat16),
              trainedCount: configuration.parameterCount)
            plan.keyValueType = type
            plan.isFresh = index == 0
            (plan.batchSize, plan.samples) = (batch, samples)
            (plan.promptTokens, plan.maxTokens) = (tokens, tokens)
            do {
              let estimate = try MemoryEstimate(plan)
              #expect(estimate.total >= 4 * configuration.parameterCount)
              #expect(estimate.update > 0 && estimate.scoring > 0 && estimate.generation > 0)
              counted += 1
            } catch {
              #expect(error.weights >= configuration.parameterCount)
              refused += 1
            }
          }
        }
      }
    }
    #expect(counted > 200 && refused > 100, "\(counted) \(refused)")
  }

  /// Wherever memory ends, in sampling, the cache, packing, scoring, backward or the optimiser, the
  /// call throws.
  @Test func aShortageAnywhereIsAnError() throws {
    let (step, reserve) = (Memory.step, Memory.reserve)
    (Memory.step, Memory.reserve) = (0, 0)
    defer { (Memory.step, Memory.reserve, Memory.limit) = (step, reserve, .max) }
    var places: Set<String> = []
    let few = Shape(vocabulary: 1000, batch: 1, prompt: 4, tokens: 4)
    for shape in [
      Shape(), Shape(type: "gpt2", batch: 4, micro: 2), few,
      Shape(batch: 30, fresh: true),
    ] {
      try run(shape, collecting: &places)
    }
    #expect(places.isSuperset(of: ["backward", "packed weights", "linear"]), "\(places)")
  }

  private func run(_ shape: Shape, collecting places: inout Set<String>) throws {
    let configuration = try shape.configuration()
    for percent in stride(from: 8, through: 100, by: 4) {
      let policy = try Transformer.random(configuration, seed: 1)
      let reference = try policy.clone(as: .bfloat16)
      let optimizer = try AdamW(policy.parameters, options: AdamWOptions(learningRate: 1e-3))
      var plan = MemoryPlan(
        policy: (configuration, .float32), reference: (configuration, .bfloat16),
        trainedCount: policy.trainedCount)
      (plan.batchSize, plan.microBatch) = (shape.batch, shape.micro)
      (plan.promptTokens, plan.maxTokens) = (shape.prompt, shape.tokens)
      plan.isFresh = shape.fresh
      Storage.resetPeak()
      Memory.limit = try Storage.liveBytes + MemoryEstimate(plan).total * percent / 100
      do {
        try run(shape, 0, policy, reference, optimizer)
      } catch let error as TensorError {
        places.insert(String("\(error)".prefix { $0 != ":" }))
      }
      // What is not checked is small and freed at once.
      #expect(Storage.peakBytes - Memory.limit < 64 << 10)
      Memory.limit = .max
    }
  }

  private func generate(_ shape: Shape, _ model: Transformer, step: Int) throws
    -> (sequences: [TokenSequence], sampled: [Float])
  {
    let options = try SamplingOptions(n: shape.samples, maxTokens: shape.tokens, ignoreEOS: true)
    let prompts = (0..<shape.batch).map { row in
      (0..<shape.prompt).map { ($0 * 7 + row * 13) % shape.vocabulary }
    }
    let completions = try Generator(
      model, options, endTokens: [], seed: 1, step: UInt64(step)
    ).generate(prompts.enumerated().map { GenerationRequest(prompt: $1, row: UInt64($0)) })
    let sequences = zip(prompts, completions).flatMap { prompt, completions in
      completions.map { TokenSequence(prompt: prompt, completion: $0.ids) }
    }
    return (sequences, completions.joined().flatMap(\.logProbabilities))
  }

  private func run(
    _ shape: Shape, _ step: Int, _ policy: Transformer, _ reference: Transformer,
    _ optimizer: AdamW
  ) throws {
    let (sequences, sampled) = try generate(shape, policy, step: step)
    let target = try reference.logProbabilities(sequences).select(0)
    let scored = try policy.logProbabilities(
      sequences, microBatch: shape.micro, sampled: shape.fresh ? sampled : nil
    ).select(0)
    let difference = try scored - target
    try (difference * difference).mean().backward()
    _ = try optimizer.step(maxGradNorm: 1)
  }
}
