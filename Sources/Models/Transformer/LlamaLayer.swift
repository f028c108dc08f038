import Tensors

// Llama, Mistral and Qwen: the options that tell them apart are the configuration's.

extension TransformerParts {
  init(llama c: ModelConfiguration, _ prefix: String, _ parameter: ParameterSource) throws {
    let table = RotaryTable(
      frequencies: c.ropeScaling.frequencies(size: c.headSize, theta: c.ropeTheta),
      scale: c.ropeScaling.attentionFactor)
    embedTokens = try parameter("\(prefix)embed_tokens.weight", [c.vocabularySize, c.hiddenSize])
    embedPositions = nil
    layers = try (0..<c.layerCount).map {
      try LlamaLayer(c, prefix: "\(prefix)layers.\($0).", rotaryTable: table, parameter)
    }
    norm = try RMSNorm("\(prefix)norm", width: c.hiddenSize, epsilon: c.normEpsilon, parameter)
  }
}

/// Rotary attention and a gated feed-forward part, each behind an RMSNorm.
struct LlamaLayer: TransformerLayer {
  let inputLayernorm: RMSNorm
  let qProj: Linear  // [H·D, C]
  let kProj: Linear  // [KV·D, C]
  let vProj: Linear  // [KV·D, C]
  let oProj: Linear  // [C, H·D]
  /// Norms of each head of queries and keys; Qwen3 alone has them.
  let qNorm, kNorm: RMSNorm?
  let postAttentionLayernorm: RMSNorm
  let gateProj: Linear  // [I, C]
  let upProj: Linear  // [I, C]
  let downProj: Linear  // [C, I]
  let rotaryTable: RotaryTable

  init(
    _ c: ModelConfiguration, prefix: String, rotaryTable: RotaryTable, _ parameter: ParameterSource
  ) throws {
    func linear(_ name: String, _ outputs: Int, _ inputs: Int, _ bias: Bool = false) throws
      -> Linear
    {
      try Linear(prefix + name, outputs: outputs, inputs: inputs, bias: bias, parameter)
    }
    func norm(_ name: String, _ width: Int) throws -> RMSNorm {
      try RMSNorm(prefix + name, width: width, epsilon: c.normEpsilon, parameter)
    }
    let (hidden, inner) = (c.hiddenSize, c.intermediateSize)
    let (queries, keys) = (c.headCount * c.headSize, c.keyValueHeadCount * c.headSize)
    qProj = try linear("self_attn.q_proj", queries, hidden, c.hasQueryKeyValueBias)
    kProj = try linear("self_attn.k_proj", keys, hidden, c.hasQueryKeyValueBias)
    vProj = try linear("self_attn.v_proj", keys, hidden, c.hasQueryKeyValueBias)
    oProj = try linear("self_attn.o_proj", hidden, queries, c.hasOutputBias)
    qNorm = c.hasQueryKeyNorm ? try norm("self_attn.q_norm", c.headSize) : nil
    kNorm = c.hasQueryKeyNorm ? try norm("self_attn.k_norm", c.headSize) : nil
    gateProj = try linear("mlp.gate_proj", inner, hidden, c.hasMLPBias)
    upProj = try linear("mlp.up_proj", inner, hidden, c.hasMLPBias)
    downProj = try linear("mlp.down_proj", hidden, inner, c.hasMLPBias)
    inputLayernorm = try norm("input_layernorm", hidden)
    postAttentionLayernorm = try norm("post_attention_layernorm", hidden)
    self.rotaryTable = rotaryTable
  }

  func attention(_ x: Tensor, positions: [Int], attend: Attend) throws -> Tensor {
    let h = try inputLayernorm(x)
    var (q, k) = try (qProj(h), kProj(h))
    if let qNorm, let kNorm { (q, k) = try (qNorm(q), kNorm(k)) }
    q = try .rotary(q, positions: positions, rotaryTable)
    k = try .rotary(k, positions: positions, rotaryTable)
    return try oProj(attend(q, k, vProj(h)))
  }

  /// down_proj(silu(gate_proj(h)) up_proj(h)) of the normed input h.
  func feedForward(_ x: Tensor) throws -> Tensor {
    let h = try postAttentionLayernorm(x)
    return try downProj(.swiGLU(gateProj(h), upProj(h)))
  }
}
