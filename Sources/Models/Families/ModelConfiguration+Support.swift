// Which settings of a config.json the transformer can compute, and readers of single fields.

import Text

extension ModelConfiguration {
  /// Throws at the first setting that would need a formula the transformer does not have.
  static func checkSupport(_ fields: JSONFields, _ family: ModelFamily) throws {
    var switches = ["use_mrope", "add_cross_attention"]
    if family.window != .switched { switches.append("use_sliding_window") }
    if !family.readsMLPBias { switches.append("mlp_bias") }
    if !family.readsAttentionBias { switches.append("attention_bias") }
    for key in switches where try fields.bool(key, default: false) {
      throw fields.error(key, "true is not supported")
    }
    if let setting = fields["quantization_config"] {
      throw fields.error("quantization_config", "is not supported, got \(setting.excerpt)")
    }
    try checkForeign(fields)
    try checkPartialRotary(fields)
    if let rope = try RopeScaling.settings(fields) { try checkPartialRotary(rope) }
  }

  private static func checkPartialRotary(_ fields: JSONFields) throws {
    let factor = try fields.number("partial_rotary_factor", default: 1)
    guard factor == 1 else {
      throw fields.error("partial_rotary_factor", "must be 1, got \(factor)")
    }
  }

  static func activation(_ fields: JSONFields, _ architecture: Architecture) throws -> Activation {
    let known: [String: Activation]
    let usual: String
    switch architecture {
    case .llama: (known, usual) = (["silu": .silu, "swish": .silu], "silu")
    case .gpt2:
      known = [
        "gelu": .gelu, "gelu_fast": .geluTanh, "gelu_new": .geluTanh,
        "gelu_pytorch_tanh": .geluTanh, "relu": .relu, "silu": .silu, "swish": .silu,
      ]
      usual = "gelu_new"
    }
    let key = architecture.keys.activation
    let name = try fields.string(key, default: usual)
    guard let activation = known[name] else {
      let names = known.keys.sorted().joined(separator: ", ")
      throw fields.error(key, "'\(name)' is not supported (supported: \(names))")
    }
    return activation
  }

  static func keyValueHeads(_ fields: JSONFields, _ family: ModelFamily, _ heads: Int) throws -> Int
  {
    guard family.architecture == .llama else { return heads }
    let key = "num_key_value_heads"
    // Hugging Face takes null for as many as query heads, and a missing key for the size of the
    // family's first model.
    let usual = fields.value[key] == .null ? nil : family.keyValueHeads
    let count = try fields.integer(
      key, in: 1...1 << 14, default: usual.flatMap { heads % $0 == 0 ? $0 : nil } ?? heads)
    guard heads % count == 0 else {
      throw fields.error(key, "must divide num_attention_heads (\(heads)), got \(count)")
    }
    return count
  }

  static func headSize(
    _ fields: JSONFields, _ family: ModelFamily, _ hidden: Int, _ heads: Int
  ) throws -> Int {
    let keys = family.architecture.keys
    let isGiven = family.architecture == .llama && fields["head_dim"] != nil
    guard isGiven || family.headSize != nil || hidden % heads == 0 else {
      throw fields.error(
        keys.hiddenSize, "must be a multiple of \(keys.heads) (\(heads)), got \(hidden)")
    }
    guard family.architecture == .llama else { return hidden / heads }
    let size = try fields.integer(
      "head_dim", in: 1...1 << 14, default: family.headSize ?? hidden / heads)
    guard size % 2 == 0, size > 0 else {
      throw fields.error("head_dim", "must be even for the rotary embedding, got \(size)")
    }
    return size
  }

  static func ropeTheta(_ fields: JSONFields, _ family: ModelFamily) throws -> Double {
    let common = try positive(fields, "rope_theta", default: family.ropeTheta)
    guard let rope = try RopeScaling.settings(fields) else { return common }
    return try positive(rope, "rope_theta", default: common)
  }

  /// A number above 0; `default` when missing, an error when there is none.
  static func positive(_ fields: JSONFields, _ key: String, default other: Double? = nil) throws
    -> Double
  {
    let value = try fields.number(key, default: other)
    guard value > 0, value < 1e12 else {
      throw fields.error(key, "must be a positive number, got \(value)")
    }
    return value
  }

  /// One id or a list of them; empty when missing.
  static func tokenIDs(_ fields: JSONFields, _ key: String, below limit: Int) throws -> [Int] {
    guard let value = fields[key] else { return [] }
    let list = if case .array(let list) = value { list } else { [value] }
    return try list.map {
      guard case .integer(let id) = $0, (0..<limit).contains(id) else {
        throw fields.error(
          key, "must be a token id below \(limit) or a list of them, got \(value.excerpt)")
      }
      return id
    }
  }

  static func dataType(_ fields: JSONFields) throws -> String {
    let key = fields["dtype"] == nil ? "torch_dtype" : "dtype"
    let known = ["bfloat16", "float16", "float32"]
    let type = try fields.string(key, default: "float32")
    guard known.contains(type) else {
      throw fields.error(
        key, "'\(type)' is not supported (supported: \(known.joined(separator: ", ")))")
    }
    return type
  }
}
