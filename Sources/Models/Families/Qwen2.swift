// Qwen 2 and 2.5 (arXiv 2407.10671; transformers' modeling_qwen2.py): Llama with biases of queries,
// keys and values, and a sliding window that can be switched on for some layers.

extension ModelFamily {
  static let qwen2 = ModelFamily("qwen2", className: "Qwen2ForCausalLM") { file in
    var model = try Architecture(
      likeLlama: file, LlamaDefaults(context: 32768, keyValueHeads: 32))
    model.attentionBias = .queryKeyValue
    try model.readSwitchedWindow(file)
    return model
  }
}

extension Architecture {
  /// With `use_sliding_window`, the layers from `max_window_layers` see `sliding_window` tokens, or
  /// those that `layer_types` names.
  mutating func readSwitchedWindow(_ file: ConfigReader) throws {
    let isOn = try file.flag("use_sliding_window")
    let first = try file.integer("max_window_layers", in: 0...1 << 20, default: 28)
    guard isOn, !file.isNull("sliding_window") else {
      // What is switched off may stand there.
      _ = file.has("sliding_window")
      return
    }
    let window = try file.integer("sliding_window", in: 1...1 << 28, default: 4096)
    let named = try file.windowedLayers(of: layerCount)
    for index in layers.indices where named?[index] ?? (index >= first) {
      layers[index].window = window
    }
  }
}
