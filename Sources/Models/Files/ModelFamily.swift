// The model types that the transformer can compute: how their files are written and what a file may leave out.

/// What a `model_type` stands for.
struct ModelFamily: Sendable {
  /// The class in Hugging Face's transformers, without `ForCausalLM`.
  let className: String
  /// Default of the longest context.
  let context: Int
  /// Width of a head where the file does not say; nil is hidden size / heads.
  var headSize: Int?
  /// How the file gives a sliding window.
  var window = Window.none
  /// Whether queries, keys and values have biases whatever the file says.
  var hasQueryKeyValueBias = false
  /// Whether `attention_bias` switches biases of all four attention projections on.
  var readsAttentionBias = false
  /// Whether `mlp_bias` switches biases of the feed-forward part on.
  var readsMLPBias = false
  /// Whether queries and keys are normed, head by head, before they are turned.
  var hasQueryKeyNorm = false

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
    "llama": ModelFamily(
      className: "Llama", context: 2048, readsAttentionBias: true, readsMLPBias: true),
    "mistral": ModelFamily(className: "Mistral", context: 131072, window: .always),
    "qwen2": ModelFamily(
      className: "Qwen2", context: 32768, window: .switched, hasQueryKeyValueBias: true),
    "qwen3": ModelFamily(
      className: "Qwen3", context: 32768, headSize: 128, window: .switched,
      readsAttentionBias: true, hasQueryKeyNorm: true),
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
  /// The class that Hugging Face's transformers loads a model of this type with, nil where the type is not supported.
  public static func architecture(_ modelType: String) -> String? {
    ModelFamily.all[modelType].map { "\($0.className)ForCausalLM" }
  }
}
