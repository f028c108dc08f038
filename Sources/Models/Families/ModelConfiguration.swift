// The configuration of a Llama-like transformer, from a Hugging Face config.json or from a table
// with the same keys. What the transformer here cannot compute is refused by name: a model that
// runs with a wrong formula is worse than one that does not run (ModelConfiguration+Support.swift).

import Core
import Text

/// Sizes and constants of a model of one of the supported families.
public struct ModelConfiguration: Sendable, Equatable {
  /// The family, as `llama` or `qwen3`.
  public let modelType: String
  /// The kind of its blocks.
  public let architecture: Architecture
  /// The function between the projections of the feed-forward part.
  public let activation: Activation
  /// Rows of the embedding table; at least the number of tokens.
  public let vocabularySize: Int
  /// Width of the residual stream.
  public let hiddenSize: Int
  /// Width of the feed-forward layers.
  public let intermediateSize: Int
  /// Number of blocks.
  public let layerCount: Int
  /// Query heads.
  public let headCount: Int
  /// Key and value heads; divides `headCount`.
  public let keyValueHeadCount: Int
  /// Width of a head, even.
  public let headSize: Int
  /// Added to the mean square in RMSNorm.
  public let normEpsilon: Float
  /// Base of the rotary embedding's wavelengths.
  public let ropeTheta: Double
  /// How the rotary embedding was stretched to a longer context.
  public let ropeScaling: RopeScaling
  /// Longest context.
  public let maxPositions: Int
  /// The key of config.json that holds it.
  public var contextKey: String { architecture.keys.context }
  /// The sliding window of every layer: tokens that a token sees, itself included; nil sees all before it.
  public let windows: [Int?]
  /// Whether each layer turns queries and keys by their positions; SmolLM3 has layers that do not.
  public let usesRotary: [Bool]
  /// What the attention scores of every layer are multiplied by.
  public let scoreScales: [Float]
  /// Whether the output layer is the embedding table.
  public let tiesEmbeddings: Bool
  /// Whether the query, key and value projections have biases (always in Qwen2).
  public let hasQueryKeyValueBias: Bool
  /// Whether the output projection of the attention has a bias.
  public let hasOutputBias: Bool
  /// Whether the feed-forward projections have biases.
  public let hasMLPBias: Bool
  /// How queries and keys are normed: by heads in Qwen3, as a whole in OLMo 2.
  public let queryKeyNorm: QueryKeyNorm
  /// Whether norms stand behind attention and feed-forward part, as in OLMo 2, and not before them.
  public let usesPostNorm: Bool
  /// Standard deviation for new weights.
  public let initializerRange: Double
  /// The token a text begins with.
  public let bosID: Int?
  /// Tokens that end a text; a generation_config.json overrides config.json.
  public let eosIDs: [Int]
  /// Number format of the stored weights: `float32`, `bfloat16` or `float16`.
  public let dataType: String
  /// Every key that was read, known or not.
  public let original: JSON

  /// Reads `config.json`, and `generation_config.json` if there, of a model folder.
  public init(folder: String) throws {
    try ModelFolder.checkIsComplete(folder, last: "config.json")
    let generation = "\(folder)/generation_config.json"
    try self.init(
      JSONFields(file: "\(folder)/config.json"),
      generation: fileExists(generation) ? JSONFields(file: generation) : nil)
  }

  /// Takes the keys of a config.json from a value; `source` is its name in error texts.
  public init(_ value: JSON, source: String) throws {
    try self.init(JSONFields(value, file: source), generation: nil)
  }

  /// Takes the fields of config.json and generation_config.json.
  package init(_ fields: JSONFields, generation: JSONFields?) throws {
    let family = try ModelFamily.named(in: fields)
    let keys = family.architecture.keys
    try Self.checkSupport(fields, family)
    modelType = try fields.string("model_type")
    architecture = family.architecture
    activation = try Self.activation(fields, architecture)
    vocabularySize = try fields.integer("vocab_size", in: 1...1 << 24)
    hiddenSize = try fields.integer(keys.hiddenSize, in: 1...1 << 18)
    intermediateSize = try fields.integer(
      keys.intermediateSize, in: 1...1 << 20,
      default: architecture == .gpt2 ? 4 * hiddenSize : nil)
    layerCount = try fields.integer(keys.layers, in: 1...4096)
    headCount = try fields.integer(keys.heads, in: 1...1 << 14)
    keyValueHeadCount = try Self.keyValueHeads(fields, family, headCount)
    headSize = try Self.headSize(fields, family, hiddenSize, headCount)
    normEpsilon = Float(try Self.positive(fields, keys.epsilon, default: family.epsilon))
    maxPositions = try fields.integer(keys.context, in: 1...1 << 28, default: family.context)
    ropeTheta = try Self.ropeTheta(fields, family)
    ropeScaling = try RopeScaling(fields, context: maxPositions)
    windows = try Self.windows(fields, family, layers: layerCount)
    usesRotary = try Self.usesRotary(fields, family, layers: layerCount)
    scoreScales = try Self.scoreScales(fields, family, layers: layerCount, headSize: headSize)
    tiesEmbeddings = try fields.bool("tie_word_embeddings", default: family.tiesEmbeddings)
    hasOutputBias = try family.readsAttentionBias && fields.bool("attention_bias", default: false)
    hasQueryKeyValueBias = hasOutputBias || family.hasQueryKeyValueBias
    hasMLPBias = try family.readsMLPBias && fields.bool("mlp_bias", default: false)
    queryKeyNorm = family.queryKeyNorm
    usesPostNorm = family.usesPostNorm
    initializerRange = try Self.positive(fields, "initializer_range", default: 0.02)
    let vocabulary = vocabularySize
    func ids(_ key: String) throws -> [Int] {
      let own = try Self.tokenIDs(fields, key, below: vocabulary)
      guard let generation else { return own }
      let others = try Self.tokenIDs(generation, key, below: vocabulary)
      return others.isEmpty ? own : others
    }
    bosID = try ids("bos_token_id").first
    eosIDs = try ids("eos_token_id")
    dataType = try Self.dataType(fields)
    original = fields.value
  }

  /// The configuration as a config.json with the weights' number format put in; other keys as read.
  public func json(dataType: String) -> JSON {
    var result = original
    let keys = ["torch_dtype", "dtype"].filter { original[$0] != nil }
    for key in keys.isEmpty ? ["torch_dtype"] : keys { result.set(key, .string(dataType)) }
    return result
  }
}
