// Settings of other kinds of models. In a file of a supported family they say that the weights want
// another formula; Hugging Face's class would pass over them, and so would the answer be wrong in
// silence. What leaves the formula as it is (null, false, 0 or nothing, and 1 where it is a factor)
// is no such setting.

import Text

extension ModelConfiguration {
  /// Throws at a setting that says that the model is of another kind.
  static func checkForeign(_ fields: JSONFields) throws {
    guard case .object(let members) = fields.value else { return }
    for member in members {
      guard let kind = foreignKind(member.key), !isNeutral(member.value, kind) else { continue }
      throw fields.error(
        member.key,
        "is a setting of \(kind.rawValue), which is not supported, got "
          + member.value.excerpt)
    }
  }

  /// What a key belongs to.
  enum ForeignKind: String {
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
