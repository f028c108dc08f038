import Models
import TestSupport
import Testing
import Text

@Suite struct ConfigurationTests {
  static let base = """
    {"model_type": "llama", "vocab_size": 32, "hidden_size": 12, "intermediate_size": 20,
     "num_hidden_layers": 2, "num_attention_heads": 2}
    """

  func read(_ changes: String) throws -> ModelConfiguration {
    var value = try JSON.parse(Self.base)
    guard case .object(let members) = try JSON.parse(changes) else { throw JSONTestError() }
    for member in members { value.set(member.key, member.value) }
    return try ModelConfiguration(value, source: "config.json")
  }

  @Test func defaults() throws {
    let configuration = try read("{}")
    #expect(configuration.keyValueHeadCount == 2)
    #expect(configuration.headSize == 6)
    #expect(configuration.normEpsilon == 1e-6)
    #expect(configuration.positions == .rotary(theta: 10_000, .none))
    #expect(configuration.maxPositions == 2048)
    #expect(!configuration.tiesEmbeddings)
    #expect(configuration.bosID == nil)
    #expect(configuration.eosIDs == [])
    #expect(configuration.dataType == "float32")
  }

  @Test func variants() throws {
    let configuration = try read(
      """
      {"model_type": "qwen2", "eos_token_id": [3, 4], "dtype": "bfloat16", "head_dim": 8,
       "num_key_value_heads": 1, "rope_parameters": {"rope_theta": 5e5, "rope_type": "default"},
       "sliding_window": 512, "use_sliding_window": false, "tie_word_embeddings": true}
      """)
    #expect(configuration.attentionBias == .queryKeyValue)
    #expect(configuration.eosIDs == [3, 4])
    #expect(configuration.dataType == "bfloat16")
    #expect(configuration.headSize == 8)
    #expect(configuration.positions == .rotary(theta: 5e5, .none))
    #expect(configuration.tiesEmbeddings)
  }

  @Test func keyValueHeadsThatAFileLeavesOut() throws {
    func count(_ type: String, _ more: String = "") throws -> Int {
      try read(
        #"{"hidden_size": 128, "num_attention_heads": 64, "model_type": ""# + type + "\"\(more)}"
      ).keyValueHeadCount
    }
    #expect(try count("llama") == 64)
    #expect(try count("mistral") == 8)
    #expect(try count("qwen2") == 32)
    #expect(try count("qwen3", #", "num_key_value_heads": null"#) == 64)
    #expect(try read(#"{"model_type": "mistral"}"#).keyValueHeadCount == 2)
  }

  static let refusals: [(String, String)] = [
    (#"{"hidden_size": "x"}"#, #"'hidden_size' must be a positive integer, got "x""#),
    (#"{"hidden_size": true}"#, "'hidden_size' must be a positive integer, got true"),
    (#"{"hidden_size": 0}"#, "'hidden_size' must be a positive integer, got 0"),
    (#"{"hidden_size": 1e300}"#, "'hidden_size' must be a positive integer, got 1e+300"),
    (
      #"{"hidden_size": 9223372036854775807}"#,
      "'hidden_size' must be a positive integer from 1 to 262144, got 9223372036854775807"
    ),
    (#"{"vocab_size": null}"#, "'vocab_size' is missing; it must be a positive integer"),
    (
      #"{"hidden_size": 13}"#,
      "'hidden_size' must be a multiple of num_attention_heads (2), got 13"
    ),
    (#"{"hidden_size": 6}"#, "'head_dim' must be even for the rotary embedding, got 3"),
    (
      #"{"num_key_value_heads": 3}"#,
      "'num_key_value_heads' must divide num_attention_heads (2), got 3"
    ),
    (
      #"{"model_type": "gpt_neox"}"#,
      "'model_type' 'gpt_neox' is not supported (supported: gpt2, llama, mistral, olmo2, qwen2, "
        + "qwen3, smollm3)"
    ),
    (#"{"hidden_act": "gelu"}"#, "'hidden_act' 'gelu' is not supported (supported: silu, swish)"),
    (
      #"{"model_type": "gpt2"}"#, "'n_embd' is missing; it must be a positive integer"
    ),
    (#"{"model_type": "qwen2", "mlp_bias": true}"#, "'mlp_bias' true is not supported"),
    (
      #"{"model_type": "mistral", "attention_bias": true}"#,
      "'attention_bias' true is not supported"
    ),
    (#"{"model_type": "qwen2", "attention_bias": true}"#, "'attention_bias' true is not supported"),
    (#"{"model_type": "olmo2", "mlp_bias": true}"#, "'mlp_bias' true is not supported"),
    (
      #"{"model_type": "smollm3", "sliding_window": 5}"#, "'sliding_window' is not supported, got 5"
    ),
    (#"{"use_sliding_window": true}"#, "'use_sliding_window' true is not supported"),
    (#"{"sliding_window": 5}"#, "'sliding_window' is not supported, got 5"),
    (
      #"{"model_type": "mistral", "sliding_window": 0}"#,
      "'sliding_window' must be a positive integer, got 0"
    ),
    (
      #"{"model_type": "mistral", "layer_types": ["full_attention", "sliding_attention"]}"#,
      #"'layer_types' "full_attention" does not fit the other settings of a sliding window"#
    ),
    (
      #"{"model_type": "qwen3", "layer_types": ["linear_attention", "full_attention"]}"#,
      #"'layer_types' "linear_attention" is not supported (supported: full_attention, "#
        + "sliding_attention)"
    ),
    (
      #"{"model_type": "smollm3", "no_rope_layers": [1]}"#,
      "'no_rope_layers' must hold 0 or 1 for each of 2 layers"
    ),
    (
      #"{"model_type": "smollm3", "no_rope_layers": [1, 2]}"#,
      "'no_rope_layers' must hold 0 or 1 for each of 2 layers"
    ),
    (
      #"{"model_type": "smollm3", "use_sliding_window": true}"#,
      "'use_sliding_window' true is not supported"
    ),
    (#"{"layer_types": ["full_attention"]}"#, "'layer_types' must name 2 layers, got 1"),
    (
      #"{"rope_scaling": {"rope_type": "longrope", "factor": 8}}"#,
      "'rope_scaling.rope_type' 'longrope' is not supported (supported: default, dynamic, linear, "
        + "llama3, yarn)"
    ),
    (
      #"{"rope_parameters": {"type": "mrope"}}"#,
      "'rope_parameters.type' 'mrope' is not supported (supported: default, dynamic, linear, "
        + "llama3, yarn)"
    ),
    (
      #"{"rope_scaling": {"factor": 8}}"#,
      "'rope_scaling.factor' belongs to a kind of stretching, but 'type' names none"
    ),
    (
      #"{"rope_scaling": {"rope_type": "default", "mrope_section": [1, 2]}}"#,
      "'rope_scaling.mrope_section' belongs to a kind of stretching, but 'rope_type' names none"
    ),
    (
      #"{"rope_scaling": {"type": "linear"}}"#,
      "'rope_scaling.factor' is missing; it must be a number"
    ),
    (
      #"{"rope_scaling": {"type": "yarn", "factor": 0.5}}"#,
      "'rope_scaling.factor' must be a number of at least 1, got 0.5"
    ),
    (
      #"{"rope_scaling": {"type": "yarn", "factor": 2, "mscale": -1}}"#,
      "'rope_scaling.mscale' must be a number from 0 to 1e6, got -1.0"
    ),
    (
      #"{"rope_scaling": {"type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4}}"#,
      "'rope_scaling.high_freq_factor' must be above low_freq_factor (4.0), got 4.0"
    ),
    (
      #"{"rope_parameters": {"full_attention": {"rope_type": "default"}}}"#,
      "'rope_parameters.full_attention' is not supported: one setting for all layers expected"
    ),
    (
      #"{"rope_parameters": {"partial_rotary_factor": 0.5}}"#,
      "'rope_parameters.partial_rotary_factor' must be 1, got 0.5"
    ),
    (
      #"{"num_local_experts": 8}"#,
      "'num_local_experts' is a setting of a mixture of experts, which is not supported, got 8"
    ),
    (
      #"{"moe_intermediate_size": 768}"#,
      "'moe_intermediate_size' is a setting of a mixture of experts, which is not supported, got 768"
    ),
    (
      #"{"final_logit_softcapping": 30.0}"#,
      "'final_logit_softcapping' is a setting of models with scaled logits, scores or activations, "
        + "which is not supported, got 30.0"
    ),
    (
      #"{"vision_config": {"depth": 2}}"#,
      #"'vision_config' is a setting of models of several parts, which is not supported, got {"depth":2}"#
    ),
    (
      #"{"use_qk_norm": true}"#,
      "'use_qk_norm' is a setting of models with other norms of queries and keys, which is not "
        + "supported, got true"
    ),
    (
      #"{"quantization_config": {"bits": 4}}"#,
      #"'quantization_config' is not supported, got {"bits":4}"#
    ),
    (#"{"rms_norm_eps": -1}"#, "'rms_norm_eps' must be a positive number, got -1.0"),
    (
      #"{"eos_token_id": [3, 32]}"#,
      "'eos_token_id' must be a token id below 32 or a list of them, got [3,32]"
    ),
    (
      #"{"torch_dtype": "int8"}"#,
      "'torch_dtype' 'int8' is not supported (supported: bfloat16, float16, float32)"
    ),
  ]

  /// Settings that leave the formula as it is, or that say nothing about it, are passed over and
  /// kept.
  @Test func passesOverWhatChangesNothing() throws {
    let keys = #"""
      {"num_experts": 0, "num_local_experts": 1, "router_aux_loss_coef": 0.001, "logit_scale": 1.0,
       "embedding_multiplier": 1, "final_logit_softcapping": null, "use_qk_norm": false, "alibi": false,
       "use_cache": false, "pretraining_tp": 2, "attention_dropout": 0.1, "is_encoder_decoder": false,
       "auto_map": {"AutoConfig": "x.Y"}, "architectures": ["A"], "_name_or_path": "n", "id2label": {"0": "a"},
       "transformers_version": "9", "unheard_of": {"a": 1}, "mlp_bias": false, "text_config": {}}
      """#
    let original = try read(keys).original
    #expect(original["unheard_of"] == .object([.init("a", .integer(1))]))
  }

  @Test(arguments: refusals) func refuses(_ changes: String, _ text: String) {
    #expect(errorText { _ = try read(changes) } == "config.json: field \(text)")
  }

  @Test func writesEveryKeyItRead() throws {
    let configuration = try read(#"{"future_key": [1, 1.0, "a"], "torch_dtype": "float16"}"#)
    let written = configuration.json(dataType: "float32")
    #expect(written["future_key"] == .array([.integer(1), .double(1), .string("a")]))
    #expect(written["torch_dtype"] == .string("float32"))
    #expect(written["dtype"] == nil)
    #expect(try ModelConfiguration(written, source: "again").hiddenSize == 12)
  }

  @Test(
    .enabled(if: Fixtures.areThere, "\(Fixtures.missing)"),
    arguments: [
      "tiny-qwen2-tied", "tiny-qwen2-untied", "tiny-qwen2-sharded", "tiny-llama-mha",
      "tiny-llama-bf16", "stories260K", "tiny-qwen3", "tiny-llama-rope3", "tiny-mistral-swa",
    ])
  func readsFixture(_ name: String) throws {
    let folder = Fixtures.path("models/\(name)")
    let configuration = try ModelConfiguration(folder: folder)
    let weights = try Safetensors(folder: folder)
    let query = try weights.shape(of: "model.layers.0.self_attn.q_proj.weight")
    #expect(query == [configuration.headCount * configuration.headSize, configuration.hiddenSize])
    #expect(
      try weights.shape(of: "model.embed_tokens.weight")
        == [configuration.vocabularySize, configuration.hiddenSize])
    let bias = weights.contains("model.layers.0.self_attn.q_proj.bias")
    #expect(bias == (configuration.attentionBias != .none))
    #expect(weights.contains("lm_head.weight") != configuration.tiesEmbeddings)
  }

  @Test func slidingWindows() throws {
    func windows(_ changes: String) throws -> [Int?] {
      try read(#"{"num_hidden_layers": 3}"#.dropLast() + ", " + changes.dropFirst()).layers.map(
        \.window)
    }
    #expect(try windows(#"{"model_type": "mistral"}"#) == [4096, 4096, 4096])
    #expect(try windows(#"{"model_type": "mistral", "sliding_window": null}"#) == [nil, nil, nil])
    #expect(try windows(#"{"model_type": "mistral", "sliding_window": 7}"#) == [7, 7, 7])
    let qwen = #"{"model_type": "qwen2", "sliding_window": 7, "use_sliding_window": "#
    #expect(try windows(qwen + "false}") == [nil, nil, nil])
    #expect(try windows(qwen + "true}") == [nil, nil, nil])
    #expect(try windows(qwen + #"true, "max_window_layers": 1}"#) == [nil, 7, 7])
    let types = #"true, "layer_types": ["sliding_attention", "full_attention", "full_attention"]}"#
    #expect(try windows(qwen + types) == [7, nil, nil])
    let unused = #"{"model_type": "llama", "sliding_window": 7, "use_sliding_window": false}"#
    #expect(try windows(unused) == [nil, nil, nil])
  }

  @Test func layersThatDoNotTurnPositions() throws {
    func turns(_ changes: String) throws -> [Bool] {
      try read(#"{"model_type": "smollm3", "num_hidden_layers": 5"# + changes + "}").layers
        .map(\.usesRotary)
    }
    #expect(try turns("") == [true, true, true, false, true])
    #expect(try turns(#", "no_rope_layer_interval": 2"#) == [true, false, true, false, true])
    #expect(try turns(#", "no_rope_layers": [0, 1, 1, 0, 1]"#) == [false, true, true, false, true])
    #expect(try read(#"{"model_type": "smollm3"}"#).positions == .rotary(theta: 2e6, .none))
    #expect(try read(#"{"no_rope_layers": [0, 0]}"#).layers.allSatisfy(\.usesRotary))
  }

  @Test func biases() throws {
    let attention = try read(#"{"attention_bias": true}"#)
    #expect(attention.attentionBias == .all && !attention.hasFeedForwardBias)
    let feedForward = try read(#"{"mlp_bias": true}"#)
    #expect(feedForward.attentionBias == .none && feedForward.hasFeedForwardBias)
    #expect(try read(#"{"model_type": "qwen2"}"#).attentionBias == .queryKeyValue)
    #expect(try read(#"{"model_type": "qwen3"}"#).queryKeyNorm == .perHead)
    #expect(try read(#"{"model_type": "qwen3"}"#).headSize == 128)
  }
}

struct JSONTestError: Error {}
