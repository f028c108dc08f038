import Tensors

// Llama, Mistral, OLMo 2, Qwen and SmolLM3: the options that tell them apart are the
// configuration's.

extension TransformerParts {
  init(llama c: ModelConfiguration, _ prefix: String, _ parameter: ParameterSource) throws {
    let table = RotaryTable(
      frequencies: c.ropeScaling.frequencies(size: c.headSize, theta: c.ropeTheta),
      scale: c.ropeScaling.attentionFactor)
    embedTokens = try parameter.matrix(
      "\(prefix)embed_tokens.weight", [c.vocabularySize, c.hiddenSize])
    embedPositions = nil
    layers = try (0..<c.layerCount).map {
      try LlamaLayer(
        c, prefix: "\(prefix)layers.\($0).", rotaryTable: c.usesRotary[$0] ? table : nil,
        parameter)
    }
    norm = try RMSNorm("\(prefix)norm", width: c.hiddenSize, epsilon: c.normEpsilon, parameter)
  }
}

/// Rotary attention and a gated feed-forward part, each with an RMSNorm before it (in OLMo 2,
/// behind it).
struct LlamaLayer: TransformerLayer {
  let qProj: Linear  // [H·D, C]
  let kProj: Linear  // [KV·D, C]
  let vProj: Linear  // [KV·D, C]
  let oProj: Linear  // [C, H·D]
  /// Norms of queries and keys, of each head or of all heads at once, as their widths say.
  let qNorm, kNorm: RMSNorm?
  let gateProj: Linear  // [I, C]
  let upProj: Linear  // [I, C]
  let downProj: Linear  // [C, I]
  let attentionNorm, feedForwardNorm: RMSNorm
  let usesPostNorm: Bool
  /// Nil in a layer without rotary embedding.
  let rotaryTable: RotaryTable?

  init(
    _ c: ModelConfiguration, prefix: String, rotaryTable: RotaryTable?, _ parameter: ParameterSource
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
    func headNorm(_ name: String, _ width: Int) throws -> RMSNorm? {
      switch c.queryKeyNorm {
      case .none: nil
      case .heads: try norm(name, c.headSize)
      case .whole: try norm(name, width)
      }
    }
    qNorm = try headNorm("self_attn.q_norm", queries)
    kNorm = try headNorm("self_attn.k_norm", keys)
    gateProj = try linear("mlp.gate_proj", inner, hidden, c.hasMLPBias)
    upProj = try linear("mlp.up_proj", inner, hidden, c.hasMLPBias)
    downProj = try linear("mlp.down_proj", hidden, inner, c.hasMLPBias)
    usesPostNorm = c.usesPostNorm
    attentionNorm = try norm(
      usesPostNorm ? "post_attention_layernorm" : "input_layernorm", hidden)
    feedForwardNorm = try norm(
      usesPostNorm ? "post_feedforward_layernorm" : "post_attention_layernorm", hidden)
    self.rotaryTable = rotaryTable
  }

  func attention(_ x: Tensor, positions: [Int], outputRows: [Int]?, attend: Attend) throws -> Tensor
  {
    try adding(oProj, to: x, attentionNorm, outputRows: outputRows) { h in
      let projected = try [qProj, kProj, vProj](h)
      var (q, k) = (projected[0], projected[1])
      if let qNorm, let kNorm { (q, k) = try (qNorm(q), kNorm(k)) }
      if let rotaryTable {
        q = try .rotary(q, positions: positions, rotaryTable)
        k = try .rotary(k, positions: positions, rotaryTable)
      }
      return try attend(q, k, projected[2])
    }
  }

  /// x + down_proj(silu(gate_proj(h)) up_proj(h)).
  func feedForward(_ x: Tensor) throws -> Tensor {
    try adding(downProj, to: x, feedForwardNorm) {
      try Linear.swiGLU($0, gate: gateProj, up: upProj)
    }
  }

  /// x and what a part of the block gives, which ends with `projection` and has its norm where the
  /// family has it.
  private func adding(
    _ projection: Linear, to x: Tensor, _ norm: RMSNorm, outputRows: [Int]? = nil,
    _ part: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    let h = try part(usesPostNorm ? x : norm(x)).rows(outputRows)
    let x = try x.rows(outputRows)
    return try usesPostNorm ? x + norm(projection(h)) : projection(h, addedTo: x)
  }
}
