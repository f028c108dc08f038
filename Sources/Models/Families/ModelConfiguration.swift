// The configuration of a Llama-like transformer, from a Hugging Face config.json or from a table
// with the same keys. What the transformer here cannot compute is refused by name: a model that
// runs with a wrong formula is worse than one that does not run (ModelConfiguration+Support.swift).

import Core
import Kernels
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
  /// The sliding window of every layer: tokens that a token sees, itself included; nil sees all
  /// before it.
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

// How many weights a configuration describes, before any is made; sizes are bounded, so nothing
// overflows.

extension ModelConfiguration {
  /// Sizes of a matrix as the product uses it.
  struct MatrixSize {
    let outputs: Int
    let inputs: Int

    var count: Int { outputs * inputs }
    /// Numbers that the packed form holds.
    var packedCount: Int { Kernels.packedCount(rows: outputs, columns: inputs) }
    /// Numbers of both factors of the weight's gradient in packed form, which backward() makes of
    /// up to 512 rows at a time.
    func packedFactorsCount(rows: Int) -> Int {
      Kernels.packedCount(rows: outputs, columns: min(rows, 512))
        + Kernels.packedCount(rows: inputs, columns: min(rows, 512))
    }
  }

  /// The matrices of one layer.
  var layerMatrices: [MatrixSize] {
    let (c, inner) = (hiddenSize, intermediateSize)
    let (queries, keys) = (headCount * headSize, keyValueHeadCount * headSize)
    switch architecture {
    case .gpt2:
      return [(3 * c, c), (c, c), (inner, c), (c, inner)].map(MatrixSize.init)
    case .llama:
      return [
        (queries, c), (keys, c), (keys, c), (c, queries), (inner, c), (inner, c), (c, inner),
      ].map(MatrixSize.init)
    }
  }

  /// The output layer, which may be the embedding table.
  var headMatrix: MatrixSize { MatrixSize(outputs: vocabularySize, inputs: hiddenSize) }

  /// Tables whose rows are looked up and which are not the output layer.
  var tables: [MatrixSize] {
    (tiesEmbeddings ? [] : [headMatrix])
      + (architecture == .gpt2 ? [MatrixSize(outputs: maxPositions, inputs: hiddenSize)] : [])
  }

  /// Number of weights, norms and biases included.
  public var parameterCount: Int {
    (tables + [headMatrix]).reduce(0) { $0 + $1.count }
      + layerCount * layerMatrices.reduce(0) { $0 + $1.count } + vectorParameterCount
  }

  private var vectorParameterCount: Int {
    let (c, inner) = (hiddenSize, intermediateSize)
    if architecture == .gpt2 {
      // Weights and biases of the norms, and a bias for each of the four projections.
      return layerCount * (4 * c + 5 * c + inner) + 2 * c
    }
    let queryKeyValue = hasQueryKeyValueBias ? (headCount + 2 * keyValueHeadCount) * headSize : 0
    let feedForward = hasMLPBias ? 2 * inner + c : 0
    let norms =
      switch queryKeyNorm {
      case .none: 0
      case .heads: 2 * headSize
      case .whole: (headCount + keyValueHeadCount) * headSize
      }
    let block = 2 * c + queryKeyValue + (hasOutputBias ? c : 0) + feedForward + norms
    return layerCount * block + c
  }

  /// Bytes that a loaded model's weights take.
  public func weightBytes(as type: ScalarType) -> Int {
    guard type == .bfloat16 else { return parameterCount * 4 }
    return productPackedCount * 2 + tables.reduce(0) { $0 + $1.packedCount } * 2
      + vectorParameterCount * 4
  }

  /// Bytes of the packed copies that products make of float32 weights.
  var packedBytes: Int { productPackedCount * 4 }

  private var productPackedCount: Int {
    headMatrix.packedCount + layerCount * layerMatrices.reduce(0) { $0 + $1.packedCount }
  }
}

// What differs between layers, as Hugging Face's configurations of the families define it: which of
// them see a sliding window only, which turn queries and keys by their positions, and what
// attention scores are multiplied by.

extension ModelConfiguration {
  /// The window of every layer, nil where it sees everything.
  ///
  /// Mistral's `sliding_window` is 4096 where the file does not mention it. In Qwen `layer_types`
  /// names the layers, or
  /// `max_window_layers` the first of them. A `layer_types` that says something else than the rest
  /// of the file is refused.
  static func windows(_ fields: JSONFields, _ family: ModelFamily, layers: Int) throws -> [Int?] {
    let window = try window(fields, family)
    let first =
      family.window == .switched
      ? try fields.integer("max_window_layers", in: 0...1 << 20, default: 28) : 0
    var windows = (0..<layers).map { $0 >= first ? window : nil }
    let types = try fields.array("layer_types", default: [])
    guard types.isEmpty || types.count == layers else {
      throw fields.error("layer_types", "must name \(layers) layers, got \(types.count)")
    }
    for (index, type) in types.enumerated() {
      let isWindowed = type == .string("sliding_attention")
      guard isWindowed || type == .string("full_attention") else {
        throw fields.error(
          "layer_types",
          "\(type.excerpt) is not supported (supported: full_attention, sliding_attention)")
      }
      if family.window == .switched, window != nil { windows[index] = isWindowed ? window : nil }
      guard isWindowed == (windows[index] != nil) else {
        throw fields.error(
          "layer_types", "\(type.excerpt) does not fit the other settings of a sliding window")
      }
    }
    return windows
  }

  private static func window(_ fields: JSONFields, _ family: ModelFamily) throws -> Int? {
    let key = "sliding_window"
    switch family.window {
    case .none:
      // Not in this family's configuration, and Hugging Face would not look at it.
      if let window = fields[key], fields["use_sliding_window"] != .bool(false) {
        throw fields.error(key, "is not supported, got \(window.excerpt)")
      }
      return nil
    case .always where fields.value[key] == .null: return nil
    case .switched where try !fields.bool("use_sliding_window", default: false): return nil
    case .switched where fields.value[key] == .null: return nil
    case .always, .switched: return try fields.integer(key, in: 1...1 << 28, default: 4096)
    }
  }

  /// Whether each layer turns queries and keys: 1 in `no_rope_layers`, or all layers but each
  /// fourth.
  static func usesRotary(_ fields: JSONFields, _ family: ModelFamily, layers: Int) throws
    -> [Bool]
  {
    guard family.readsLayersWithoutRope else { return Array(repeating: true, count: layers) }
    let interval = try fields.integer("no_rope_layer_interval", in: 1...1 << 20, default: 4)
    let key = "no_rope_layers"
    let list = try fields.array(
      key, default: (0..<layers).map { .integer(($0 + 1) % interval == 0 ? 0 : 1) })
    guard list.count == layers, list.allSatisfy({ $0 == .integer(0) || $0 == .integer(1) }) else {
      throw fields.error(key, "must hold 0 or 1 for each of \(layers) layers")
    }
    return list.map { $0 == .integer(1) }
  }

  /// What attention scores are multiplied by in every layer: 1 / √D, unless a GPT-2 says otherwise.
  static func scoreScales(
    _ fields: JSONFields, _ family: ModelFamily, layers: Int, headSize: Int
  ) throws -> [Float] {
    let usual = 1 / Float(headSize).squareRoot()
    guard family.architecture == .gpt2 else { return Array(repeating: usual, count: layers) }
    let scale = try fields.bool("scale_attn_weights", default: true) ? usual : 1
    let byLayer = try fields.bool("scale_attn_by_inverse_layer_idx", default: false)
    return (0..<layers).map { byLayer ? scale / Float($0 + 1) : scale }
  }
}
