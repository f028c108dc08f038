import Text

// Llama 1 to 3, SmolLM, TinyLlama (transformers' modeling_llama.py), and the reading that the
// families which grew out of Llama share: their files begin with it and say what differs.

extension ModelFamily {
  static let llama = ModelFamily("llama", className: "LlamaForCausalLM") { file in
    var model = try Architecture(likeLlama: file, LlamaDefaults(context: 2048))
    model.attentionBias = try file.flag("attention_bias") ? .all : .none
    model.hasFeedForwardBias = try file.flag("mlp_bias")
    return model
  }
}

/// What a file may leave out, as the family's configuration class in transformers has it, and the
/// feed-forward parts that it may name.
struct LlamaDefaults {
  /// The longest context.
  let context: Int
  /// Key and value heads, where the number divides the heads'; else as many as query heads.
  var keyValueHeads: Int?
  /// The width of a head; nil is hidden size / heads.
  var headSize: Int?
  /// The base of the rotary wavelengths.
  var theta = 10_000.0
  /// What norms add to the mean square.
  var epsilon = 1e-6
  /// Whether the output layer is the embedding table.
  var tiesEmbeddings = false
  /// The activation.
  var activation = "silu"
  /// The feed-forward part that each supported activation stands for.
  var feedForward: [String: Architecture.FeedForward] = ["silu": .swiGLU, "swish": .swiGLU]
}

extension Architecture {
  /// Rotary attention and a gated feed-forward part, each behind an RMSNorm; no biases.
  init(likeLlama file: ConfigReader, _ defaults: LlamaDefaults) throws {
    feedForward = try file.choice(
      "hidden_act", defaults.feedForward, default: defaults.activation)
    vocabularySize = try file.vocabularySize()
    hiddenSize = try file.hiddenSize("hidden_size")
    intermediateSize = try file.intermediateSize("intermediate_size")
    let layerCount = try file.layerCount("num_hidden_layers")
    headCount = try file.heads("num_attention_heads")
    keyValueHeadCount = try file.keyValueHeads(default: defaults.keyValueHeads, of: headCount)
    headSize = try file.rotaryHeadSize(
      default: defaults.headSize, hidden: hiddenSize, heads: headCount)
    contextKey = "max_position_embeddings"
    maxPositions = try file.maxPositions(contextKey, default: defaults.context)
    positions = try file.rotaryPositions(theta: defaults.theta, context: maxPositions)
    layers = Array(repeating: Layer(headSize: headSize), count: layerCount)
    norm = .rms
    normEpsilon = Float(try file.positive("rms_norm_eps", default: defaults.epsilon))
    tiesEmbeddings = try file.flag("tie_word_embeddings", default: defaults.tiesEmbeddings)
    names = .llama()
  }
}

extension TensorNames {
  /// The names of LlamaForCausalLM, with those of the norms of a block's two parts.
  static func llama(
    attentionNorm: String = "input_layernorm", feedForwardNorm: String = "post_attention_layernorm"
  ) -> TensorNames {
    TensorNames(
      prefix: "model.", embedTokens: "embed_tokens", blocks: "layers",
      block: [
        Module(.query, "self_attn.q_proj"), Module(.key, "self_attn.k_proj"),
        Module(.value, "self_attn.v_proj"), Module(.attentionOutput, "self_attn.o_proj"),
        Module(.queryNorm, "self_attn.q_norm"), Module(.keyNorm, "self_attn.k_norm"),
        Module(.gate, "mlp.gate_proj"), Module(.up, "mlp.up_proj"),
        Module(.down, "mlp.down_proj"),
        Module(.attentionNorm, attentionNorm), Module(.feedForwardNorm, feedForwardNorm),
      ],
      finalNorm: "norm", buffers: ["rotary_emb.inv_freq"], adapterTargets: ["q_proj", "v_proj"])
  }
}

extension ConfigReader {
  /// `num_key_value_heads`: transformers takes null for as many as query heads, and a missing key
  /// for the size of the family's first model.
  fileprivate func keyValueHeads(default other: Int?, of heads: Int) throws -> Int {
    let key = "num_key_value_heads"
    let usual = isNull(key) ? nil : other
    let count = try self.heads(
      key, default: usual.flatMap { heads % $0 == 0 ? $0 : nil } ?? heads)
    guard heads % count == 0 else {
      throw error(key, "must divide num_attention_heads (\(heads)), got \(count)")
    }
    return count
  }

  fileprivate func rotaryHeadSize(default other: Int?, hidden: Int, heads: Int) throws -> Int {
    guard has("head_dim") || other != nil || hidden % heads == 0 else {
      throw error(
        "hidden_size", "must be a multiple of num_attention_heads (\(heads)), got \(hidden)")
    }
    let size = try self.heads("head_dim", default: other ?? hidden / heads)
    guard size % 2 == 0, size > 0 else {
      throw error("head_dim", "must be even for the rotary embedding, got \(size)")
    }
    return size
  }

  /// `rope_theta` stands beside the other settings of the rotary embedding or among them.
  fileprivate func rotaryPositions(theta: Double, context: Int) throws -> Architecture.Positions {
    let common = try positive("rope_theta", default: theta)
    let own = try RopeScaling.settings(fields)?.positive("rope_theta", default: common)
    return .rotary(theta: own ?? common, try RopeScaling(fields, context: context))
  }
}
