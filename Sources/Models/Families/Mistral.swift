// Mistral 7B (arXiv 2310.06825; transformers' modeling_mistral.py): Llama with a sliding window.

extension ModelFamily {
  static let mistral = ModelFamily("mistral", className: "MistralForCausalLM") { file in
    var model = try Architecture(
      likeLlama: file, LlamaDefaults(context: 131072, keyValueHeads: 8))
    // Files of later versions say null: all layers see everything.
    guard !file.isNull("sliding_window") else { return model }
    let window = try file.integer("sliding_window", in: 1...1 << 28, default: 4096)
    for index in model.layers.indices { model.layers[index].window = window }
    return model
  }
}
