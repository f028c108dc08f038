// What differs between layers, as Hugging Face's configurations of the families define it: which of them see a sliding
// window only, which turn queries and keys by their positions, and what attention scores are multiplied by.

import Text

extension ModelConfiguration {
  /// The window of every layer, nil where it sees everything.
  ///
  /// Mistral's `sliding_window` is 4096 where the file does not mention it. In Qwen `layer_types` names the layers, or
  /// `max_window_layers` the first of them. A `layer_types` that says something else than the rest of the file is refused.
  static func windows(_ fields: JSONFields, _ family: ModelFamily, layers: Int) throws -> [Int?] {
    let window = try window(fields, family)
    let first =
      family.window == .switched
      ? try fields.integer("max_window_layers", in: 0...1 << 20, default: 28) : 0
    var windows = (0..<layers).map { $0 >= first ? window : nil }
    let types = try fields.array("layer_types", default: [])
    guard types.isEmpty || types.count == layers else {
      throw fields.error("layer_types", "must name \(layers) layers, got \(types.count)")
    }
    for (index, type) in types.enumerated() {
      let isWindowed = type == .string("sliding_attention")
      guard isWindowed || type == .string("full_attention") else {
        throw fields.error(
          "layer_types",
          "\(type.excerpt) is not supported (supported: full_attention, sliding_attention)")
      }
      if family.window == .switched, window != nil { windows[index] = isWindowed ? window : nil }
      guard isWindowed == (windows[index] != nil) else {
        throw fields.error(
          "layer_types", "\(type.excerpt) does not fit the other settings of a sliding window")
      }
    }
    return windows
  }

  private static func window(_ fields: JSONFields, _ family: ModelFamily) throws -> Int? {
    let key = "sliding_window"
    switch family.window {
    case .none:
      // Not in this family's configuration, and Hugging Face would not look at it.
      if let window = fields[key], fields["use_sliding_window"] != .bool(false) {
        throw fields.error(key, "is not supported, got \(window.excerpt)")
      }
      return nil
    case .always where fields.value[key] == .null: return nil
    case .switched where try !fields.bool("use_sliding_window", default: false): return nil
    case .switched where fields.value[key] == .null: return nil
    case .always, .switched: return try fields.integer(key, in: 1...1 << 28, default: 4096)
    }
  }

  /// Whether each layer turns queries and keys: 1 in `no_rope_layers`, or all layers but each fourth.
  static func usesRotary(_ fields: JSONFields, _ family: ModelFamily, layers: Int) throws
    -> [Bool]
  {
    guard family.readsLayersWithoutRope else { return Array(repeating: true, count: layers) }
    let interval = try fields.integer("no_rope_layer_interval", in: 1...1 << 20, default: 4)
    let key = "no_rope_layers"
    let list = try fields.array(
      key, default: (0..<layers).map { .integer(($0 + 1) % interval == 0 ? 0 : 1) })
    guard list.count == layers, list.allSatisfy({ $0 == .integer(0) || $0 == .integer(1) }) else {
      throw fields.error(key, "must hold 0 or 1 for each of \(layers) layers")
    }
    return list.map { $0 == .integer(1) }
  }

  /// What attention scores are multiplied by in every layer: 1 / √D, unless a GPT-2 says otherwise.
  static func scoreScales(
    _ fields: JSONFields, _ family: ModelFamily, layers: Int, headSize: Int
  ) throws -> [Float] {
    let usual = 1 / Float(headSize).squareRoot()
    guard family.architecture == .gpt2 else { return Array(repeating: usual, count: layers) }
    let scale = try fields.bool("scale_attn_weights", default: true) ? usual : 1
    let byLayer = try fields.bool("scale_attn_by_inverse_layer_idx", default: false)
    return (0..<layers).map { byLayer ? scale / Float($0 + 1) : scale }
  }
}
