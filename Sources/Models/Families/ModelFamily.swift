// The model types that the transformer can compute: how their files are written and what a file may
// leave out.

import Text

/// What a `model_type` stands for.
struct ModelFamily: Sendable {
  /// The class in Hugging Face's transformers.
  let className: String
  /// The kind of its blocks.
  var architecture = ModelConfiguration.Architecture.llama
  /// Default of the longest context.
  let context: Int
  /// Whether the output layer is the embedding where the file does not say.
  var tiesEmbeddings = false
  /// Added to the mean square or the variance in norms where the file does not say.
  var epsilon = 1e-6
  /// Key and value heads where the file does not say and the number divides the heads'; else as
  /// many as query heads.
  var keyValueHeads: Int?
  /// Width of a head where the file does not say; nil is hidden size / heads.
  var headSize: Int?
  /// Base of the rotary embedding's wavelengths where the file does not say.
  var ropeTheta = 10_000.0
  /// Whether `no_rope_layers` says which layers turn queries and keys.
  var readsLayersWithoutRope = false
  /// How the file gives a sliding window.
  var window = Window.none
  /// Whether queries, keys and values have biases whatever the file says.
  var hasQueryKeyValueBias = false
  /// Whether `attention_bias` switches biases of all four attention projections on.
  var readsAttentionBias = false
  /// Whether `mlp_bias` switches biases of the feed-forward part on.
  var readsMLPBias = false
  /// What of queries and keys is normed before they are turned.
  var queryKeyNorm = ModelConfiguration.QueryKeyNorm.none
  /// Whether norms stand behind attention and feed-forward part instead of before them.
  var usesPostNorm = false

  /// Ways to give a sliding window.
  enum Window {
    /// There is none.
    case none
    /// `sliding_window` holds for all layers.
    case always
    /// `use_sliding_window` switches it on for layers from `max_window_layers`.
    case switched
  }

  /// Every supported `model_type`.
  static let all: [String: ModelFamily] = [
    "gpt2": ModelFamily(
      className: "GPT2LMHeadModel", architecture: .gpt2, context: 1024, tiesEmbeddings: true,
      epsilon: 1e-5),
    "llama": ModelFamily(
      className: "LlamaForCausalLM", context: 2048, readsAttentionBias: true, readsMLPBias: true),
    "mistral": ModelFamily(
      className: "MistralForCausalLM", context: 131072, keyValueHeads: 8, window: .always),
    "olmo2": ModelFamily(
      className: "Olmo2ForCausalLM", context: 2048, epsilon: 1e-5, readsAttentionBias: true,
      queryKeyNorm: .whole, usesPostNorm: true),
    "qwen2": ModelFamily(
      className: "Qwen2ForCausalLM", context: 32768, keyValueHeads: 32, window: .switched,
      hasQueryKeyValueBias: true),
    "qwen3": ModelFamily(
      className: "Qwen3ForCausalLM", context: 32768, keyValueHeads: 32, headSize: 128,
      window: .switched, readsAttentionBias: true, queryKeyNorm: .heads),
    "smollm3": ModelFamily(
      className: "SmolLM3ForCausalLM", context: 32768, tiesEmbeddings: true, keyValueHeads: 4,
      ropeTheta: 2e6, readsLayersWithoutRope: true, readsAttentionBias: true, readsMLPBias: true),
  ]

  /// The family a config.json names; throws on one that is not supported.
  static func named(in fields: JSONFields) throws -> ModelFamily {
    let type = try fields.string("model_type")
    guard let family = all[type] else {
      let known = all.keys.sorted().joined(separator: ", ")
      throw fields.error("model_type", "'\(type)' is not supported (supported: \(known))")
    }
    return family
  }
}

extension ModelConfiguration {
  /// The class that Hugging Face's transformers loads a model of this type with, nil where the type
  /// is not supported.
  public static func className(_ modelType: String) -> String? {
    ModelFamily.all[modelType]?.className
  }

  /// Kinds of blocks.
  public enum Architecture: Sendable {
    /// Rotary attention and a gated feed-forward part, behind RMSNorms.
    case llama
    /// Learned positions, attention and a feed-forward part with biases, behind LayerNorms.
    case gpt2

    /// What files put before the names of all weights but the head's; a file saved without a head
    /// leaves it out.
    public var prefix: String {
      switch self {
      case .llama: "model."
      case .gpt2: "transformer."
      }
    }

    /// Name of the embedding table behind the prefix.
    var embedding: String {
      switch self {
      case .llama: "embed_tokens.weight"
      case .gpt2: "wte.weight"
      }
    }

    /// The names of sizes in config.json.
    var keys: Keys {
      switch self {
      case .llama: Keys()
      case .gpt2:
        Keys(
          hiddenSize: "n_embd", intermediateSize: "n_inner", layers: "n_layer", heads: "n_head",
          context: "n_positions", epsilon: "layer_norm_epsilon", activation: "activation_function")
      }
    }
  }

  /// Names that differ between families.
  struct Keys {
    var hiddenSize = "hidden_size"
    var intermediateSize = "intermediate_size"
    var layers = "num_hidden_layers"
    var heads = "num_attention_heads"
    var context = "max_position_embeddings"
    var epsilon = "rms_norm_eps"
    var activation = "hidden_act"
  }

  /// Over how much of a token's queries, and of its keys, one norm extends.
  public enum QueryKeyNorm: Sendable {
    /// There is no norm.
    case none
    /// Over each head.
    case heads
    /// Over all heads at once.
    case whole
  }

  /// The function between the projections of the feed-forward part.
  public enum Activation: Sendable {
    /// x sigmoid(x), gated.
    case silu
    /// x Φ(x).
    case gelu
    /// x Φ(x) by its approximation through tanh.
    case geluTanh
    /// max(x, 0).
    case relu
  }
}
