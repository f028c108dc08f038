// Qwen 3, dense (arXiv 2505.09388; transformers' modeling_qwen3.py): Qwen 2 with norms of each head
// of queries and keys, and without its biases.

extension ModelFamily {
  static let qwen3 = ModelFamily("qwen3", className: "Qwen3ForCausalLM") { file in
    var model = try Architecture(
      likeLlama: file, LlamaDefaults(context: 32768, keyValueHeads: 32, headSize: 128))
    model.attentionBias = try file.flag("attention_bias") ? .all : .none
    model.queryKeyNorm = .perHead
    try model.readSwitchedWindow(file)
    return model
  }
}
