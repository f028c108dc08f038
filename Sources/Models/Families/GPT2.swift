import Text

// GPT-2 (Radford et al., 2019; transformers' modeling_gpt2.py): learned positions, LayerNorms,
// biases everywhere, one projection for queries, keys and values, matrices stored [in, out].

extension ModelFamily {
  static let gpt2 = ModelFamily("gpt2", className: "GPT2LMHeadModel") { file in
    try Architecture(gpt2: file)
  }
}

extension Architecture {
  fileprivate init(gpt2 file: ConfigReader) throws {
    feedForward = try .mlp(file.activation("activation_function", default: "gelu_new"))
    vocabularySize = try file.vocabularySize()
    hiddenSize = try file.hiddenSize("n_embd")
    intermediateSize = try file.intermediateSize("n_inner", default: 4 * hiddenSize)
    let layerCount = try file.layerCount("n_layer")
    headCount = try file.heads("n_head")
    keyValueHeadCount = headCount
    guard hiddenSize % headCount == 0 else {
      throw file.error("n_embd", "must be a multiple of n_head (\(headCount)), got \(hiddenSize)")
    }
    headSize = hiddenSize / headCount
    contextKey = "n_positions"
    maxPositions = try file.maxPositions(contextKey, default: 1024)
    positions = .learned(table: "wpe")
    layers = Array(repeating: Layer(headSize: headSize), count: layerCount)
    norm = .layer
    normEpsilon = Float(try file.positive("layer_norm_epsilon", default: 1e-5))
    attentionBias = .all
    hasFeedForwardBias = true
    tiesEmbeddings = try file.flag("tie_word_embeddings", default: true)
    initialization = .scaledResidual
    names = .gpt2
    try readScoreScales(file)
  }

  /// Attention scores may be left as they are, or be divided by the layer's number too.
  private mutating func readScoreScales(_ file: ConfigReader) throws {
    let isScaled = try file.flag("scale_attn_weights", default: true)
    let isByLayer = try file.flag("scale_attn_by_inverse_layer_idx")
    for index in layers.indices {
      if !isScaled { layers[index].scoreScale = 1 }
      if isByLayer { layers[index].scoreScale /= Float(index + 1) }
    }
  }
}

extension TensorNames {
  fileprivate static let gpt2 = TensorNames(
    prefix: "transformer.", embedTokens: "wte", blocks: "h",
    block: [
      Module(.attentionNorm, "ln_1"), Module(.queryKeyValue, "attn.c_attn"),
      Module(.attentionOutput, "attn.c_proj"), Module(.feedForwardNorm, "ln_2"),
      Module(.up, "mlp.c_fc"), Module(.down, "mlp.c_proj"),
    ],
    finalNorm: "ln_f", storesTransposed: true, buffers: [".attn.bias", ".attn.masked_bias"],
    adapterTargets: ["c_attn"])
}

extension ConfigReader {
  fileprivate func activation(_ key: String, default usual: String) throws
    -> Architecture.Activation
  {
    try choice(
      key,
      [
        "gelu": .gelu, "gelu_fast": .geluTanh, "gelu_new": .geluTanh,
        "gelu_pytorch_tanh": .geluTanh, "relu": .relu, "silu": .silu, "swish": .silu,
      ], default: usual)
  }
}
