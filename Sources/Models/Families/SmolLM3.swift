import Text

// SmolLM3 (transformers' modeling_smollm3.py): Llama with layers that have no rotary embedding
// (NoPE, arXiv 2501.18795).

extension ModelFamily {
  static let smollm3 = ModelFamily("smollm3", className: "SmolLM3ForCausalLM") { file in
    var model = try Architecture(
      likeLlama: file,
      LlamaDefaults(context: 32768, keyValueHeads: 4, theta: 2e6, tiesEmbeddings: true))
    model.attentionBias = try file.flag("attention_bias") ? .all : .none
    model.hasFeedForwardBias = try file.flag("mlp_bias")
    for (index, isRotary) in try file.rotaryLayers(of: model.layerCount).enumerated() {
      model.layers[index].usesRotary = isRotary
    }
    return model
  }
}

extension ConfigReader {
  /// 1 in `no_rope_layers` stands for a layer with the rotary embedding; without the list, all but
  /// each `no_rope_layer_interval`-th have it.
  fileprivate func rotaryLayers(of layers: Int) throws -> [Bool] {
    let interval = try integer("no_rope_layer_interval", in: 1...1 << 20, default: 4)
    let key = "no_rope_layers"
    let list = try array(key) ?? (0..<layers).map { .integer(($0 + 1) % interval == 0 ? 0 : 1) }
    guard list.count == layers, list.allSatisfy({ $0 == .integer(0) || $0 == .integer(1) }) else {
      throw error(key, "must hold 0 or 1 for each of \(layers) layers")
    }
    return list.map { $0 == .integer(1) }
  }
}
