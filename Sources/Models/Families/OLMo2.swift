// OLMo 2 (arXiv 2501.00656; transformers' modeling_olmo2.py): Llama with its norms behind attention
// and feed-forward part, and with norms over all queries and all keys of a token.

extension ModelFamily {
  static let olmo2 = ModelFamily("olmo2", className: "Olmo2ForCausalLM") { file in
    var model = try Architecture(likeLlama: file, LlamaDefaults(context: 2048, epsilon: 1e-5))
    model.attentionBias = try file.flag("attention_bias") ? .all : .none
    model.queryKeyNorm = .allHeads
    model.normPlacement = .post
    model.names = .llama(
      attentionNorm: "post_attention_layernorm", feedForwardNorm: "post_feedforward_layernorm")
    return model
  }
}
