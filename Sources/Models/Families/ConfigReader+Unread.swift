import Text

// What a config.json says that its family did not read. A setting that wants another formula is
// refused: transformers' class would pass over it, and the answer would be wrong in silence. What
// leaves the formula as it is (null, false, 0 or nothing, and 1 where it is a factor) is passed
// over, and so are keys that nobody knows.

extension ConfigReader {
  /// Throws at the first setting that the family of `architecture` does not compute.
  func checkUnread(_ architecture: Architecture) throws {
    let switches = [
      "use_mrope", "add_cross_attention", "use_sliding_window", "mlp_bias", "attention_bias",
    ]
    for key in switches where try !wasRead(key) && fields.bool(key, default: false) {
      throw error(key, "true is not supported")
    }
    for key in ["quantization_config"] {
      if let setting = unread(key) { throw error(key, "is not supported, got \(setting.excerpt)") }
    }
    try checkForeign()
    try checkPartialRotary(fields)
    if let rope = try RopeScaling.settings(fields) { try checkPartialRotary(rope) }
    if let window = unread("sliding_window"), fields["use_sliding_window"] != .bool(false) {
      throw error("sliding_window", "is not supported, got \(window.excerpt)")
    }
    try checkLayerTypes(architecture.layers)
  }

  private func unread(_ key: String) -> JSON? { wasRead(key) ? nil : fields[key] }

  private func checkPartialRotary(_ fields: JSONFields) throws {
    let key = "partial_rotary_factor"
    let factor = try fields.number(key, default: 1)
    guard factor == 1 || wasRead(key) else {
      throw fields.error(key, "must be 1, got \(factor)")
    }
  }

  /// `layer_types` may say again what the rest of the file says, and nothing else.
  private func checkLayerTypes(_ layers: [Architecture.Layer]) throws {
    for (isWindowed, layer) in zip(try windowedLayers(of: layers.count) ?? [], layers)
    where isWindowed != (layer.window != nil) {
      let type = JSON.string(isWindowed ? "sliding_attention" : "full_attention")
      throw error(
        "layer_types", "\(type.excerpt) does not fit the other settings of a sliding window")
    }
  }
}

// Settings of other kinds of models.

extension ConfigReader {
  private func checkForeign() throws {
    guard case .object(let members) = fields.value else { return }
    for member in members where !wasRead(member.key) {
      guard let kind = Self.foreignKind(member.key), !Self.isNeutral(member.value, kind) else {
        continue
      }
      throw error(
        member.key,
        "is a setting of \(kind.rawValue), which is not supported, got "
          + member.value.excerpt)
    }
  }

  /// What a key of other models belongs to.
  private enum ForeignKind: String {
    case experts = "a mixture of experts"
    case scaling = "models with scaled logits, scores or activations"
    case norms = "models with other norms of queries and keys"
    case layers = "models with other kinds of layers"
    case parts = "models of several parts"
    case positions = "models with other positions"
  }

  private static let foreign: [String: ForeignKind] = {
    let keys: [ForeignKind: [String]] = [
      .scaling: [
        "final_logit_softcapping", "attn_logit_softcapping", "logit_softcapping", "logits_scaling",
        "logit_scale", "logits_scale", "embedding_multiplier", "residual_multiplier",
        "attention_multiplier", "lm_head_multiplier", "query_pre_attn_scalar", "scale_emb",
        "scale_depth", "dim_model_base", "clip_qkv", "embedding_scale", "mup_scale",
        "attn_temperature_tuning",
      ],
      .norms: ["use_qk_norm", "qk_norm", "qk_layernorm", "use_qkv_norm"],
      .layers: [
        "layers_block_type", "hybrid_override_pattern", "attn_layer_indices", "full_attn_idxs",
        "conv_L_cache", "linear_num_value_heads", "mamba_d_state", "mamba_num_heads", "ssm_cfg",
        "parallel_attn", "use_parallel_residual", "parallel_residual", "cross_attention_layers",
        "kv_lora_rank", "q_lora_rank", "num_nextn_predict_layers", "attention_chunk_size",
        "attention_sink", "attn_output_gate", "use_attention_sinks", "block_types",
      ],
      .parts: ["vision_config", "text_config", "audio_config", "is_encoder_decoder"],
      .positions: ["alibi", "use_alibi", "rope_local_base_freq", "rope_interleaved"],
    ]
    return Dictionary(
      uniqueKeysWithValues: keys.flatMap { kind, names in names.map { ($0, kind) } })
  }()

  private static func foreignKind(_ key: String) -> ForeignKind? {
    if let kind = foreign[key] { return kind }
    // How experts are counted and chosen has a dozen names; those about training alone come with
    // them.
    let isExpert =
      key.hasPrefix("moe_") || key.contains("_experts") || key.contains("expert_")
      || key == "num_experts" || key == "decoder_sparse_step"
    return isExpert ? .experts : nil
  }

  private static func isNeutral(_ value: JSON, _ kind: ForeignKind) -> Bool {
    switch value {
    case .null, .bool(false), .integer(0), .string(""): true
    case .double(let number): number == 0 || kind == .scaling && number == 1
    case .integer(let number): number == 1 && (kind == .scaling || kind == .experts)
    case .array(let items): items.isEmpty
    case .object(let members): members.isEmpty
    default: false
    }
  }
}
