import Tensors

/// An affine map y = x Wᵀ + b with W [out, in].
struct Linear {
  let weight: Tensor
  let bias: Tensor?

  func callAsFunction(_ x: Tensor) throws -> Tensor { try .linear(x, weight, bias: bias) }
}

/// One block: attention and a gated feed-forward layer, each behind a norm and added to the residual stream.
struct TransformerLayer {
  let inputLayernorm: Tensor  // [C]
  let qProj: Linear  // [H·D, C]
  let kProj: Linear  // [KV·D, C]
  let vProj: Linear  // [KV·D, C]
  let oProj: Linear  // [C, H·D]
  let postAttentionLayernorm: Tensor  // [C]
  let gateProj: Linear  // [I, C]
  let upProj: Linear  // [I, C]
  let downProj: Linear  // [C, I]

  init(
    _ c: ModelConfiguration, prefix: String,
    parameter: (_ name: String, _ shape: [Int]) throws -> Tensor
  ) throws {
    func linear(_ name: String, _ outputs: Int, _ inputs: Int, bias: Bool = false) throws -> Linear
    {
      let weight = try parameter("\(prefix).\(name).weight", [outputs, inputs])
      return Linear(
        weight: weight, bias: bias ? try parameter("\(prefix).\(name).bias", [outputs]) : nil)
    }
    let (hidden, inner) = (c.hiddenSize, c.intermediateSize)
    let (queries, keys) = (c.headCount * c.headSize, c.keyValueHeadCount * c.headSize)
    let bias = c.hasQueryKeyValueBias
    qProj = try linear("self_attn.q_proj", queries, hidden, bias: bias)
    kProj = try linear("self_attn.k_proj", keys, hidden, bias: bias)
    vProj = try linear("self_attn.v_proj", keys, hidden, bias: bias)
    oProj = try linear("self_attn.o_proj", hidden, queries)
    gateProj = try linear("mlp.gate_proj", inner, hidden)
    upProj = try linear("mlp.up_proj", inner, hidden)
    downProj = try linear("mlp.down_proj", hidden, inner)
    inputLayernorm = try parameter("\(prefix).input_layernorm.weight", [hidden])
    postAttentionLayernorm = try parameter("\(prefix).post_attention_layernorm.weight", [hidden])
  }

  /// o_proj of what `attend` makes of the queries, keys and values of the normed input: [N, C].
  func attention(
    _ x: Tensor, epsilon: Float, attend: (_ q: Tensor, _ k: Tensor, _ v: Tensor) throws -> Tensor
  ) throws -> Tensor {
    let h = try Tensor.rmsNorm(x, weight: inputLayernorm, epsilon: epsilon)
    return try oProj(attend(qProj(h), kProj(h), vProj(h)))
  }

  /// down_proj(silu(gate_proj(h)) up_proj(h)) of the normed input h: [N, C].
  func feedForward(_ x: Tensor, epsilon: Float) throws -> Tensor {
    let h = try Tensor.rmsNorm(x, weight: postAttentionLayernorm, epsilon: epsilon)
    return try downProj(.swiGLU(gateProj(h), upProj(h)))
  }
}
