import Models
import Tensors
import Text

// config.json with generation_config.json, and the transformer that a configuration describes.

extension FuzzReader {
  static func configuration() throws -> FuzzReader {
    FuzzReader(
      name: "config", seeds: ConfigurationSeeds.all,
      files: ["config.json", "generation_config.json"], places: ConfigurationSeeds.places
    ) { bytes in
      let files = bytes.files()
      let fields = { (bytes: UnsafeRawBufferPointer, file: String) in
        try JSONFields(JSON.parse(bytes, file: file), file: file)
      }
      let configuration = try ModelConfiguration(
        fields(files.first, "config.json"),
        generation: files.second.map { try fields($0, "generation_config.json") })
      try use(configuration)
    }
  }

  private static func use(_ configuration: ModelConfiguration) throws {
    if case .rotary(let theta, let scaling) = configuration.positions {
      let frequencies = scaling.frequencies(size: configuration.headSize, theta: theta)
      guard frequencies.count == configuration.headSize / 2 else {
        throw FuzzFailure("config: \(frequencies.count) frequencies for \(configuration.headSize)")
      }
    }
    let json = configuration.json(dataType: "float32")
    let again = try ModelConfiguration(JSON.parse(json.text(pretty: true)), source: "config.json")
    guard again.hiddenSize == configuration.hiddenSize else {
      throw FuzzFailure("config: what is written is not what was read")
    }
    try useAnyway { try compute(configuration) }
  }

  /// A forward pass where the model is tiny; else the weights' shapes alone.
  private static func compute(_ configuration: ModelConfiguration) throws {
    var (elements, tensors) = (0, 0)
    let nothing = Tensor(zeros: [1])
    _ = try Transformer(configuration) { _, shape in
      tensors += 1
      let count = shape.reduce(1, *)
      elements += count
      guard count < 1 << 40, tensors < 1000 else { throw TooLarge() }
      return nothing
    }
    guard elements < 20_000, configuration.maxPositions < 1 << 16 else { return }
    let model = try Transformer.random(configuration, seed: 1)
    _ = try model.logits([0, min(1, configuration.vocabularySize - 1), 0])
  }

  private struct TooLarge: Error {}
}

/// Configurations of every family.
enum ConfigurationSeeds {
  static let places = ["field '", "line ", "must be an object"]

  static let tinyLlama = """
    {"model_type": "llama", "vocab_size": 5, "hidden_size": 4, "intermediate_size": 6, \
    "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, \
    "rms_norm_eps": 1e-05, "max_position_embeddings": 16, "rope_theta": 10000.0, \
    "bos_token_id": 1, "eos_token_id": [2, 3], "tie_word_embeddings": true, "head_dim": 2, \
    "attention_bias": true, "mlp_bias": false, "torch_dtype": "float32", "hidden_act": "silu"}
    """
  static let tinyGPT2 = """
    {"model_type": "gpt2", "vocab_size": 5, "n_embd": 4, "n_layer": 1, "n_head": 2, \
    "n_positions": 8, "n_inner": 6, "layer_norm_epsilon": 1e-05, \
    "activation_function": "gelu_new", "eos_token_id": 0}
    """

  private static let scalings = [
    #"{"rope_type": "linear", "factor": 2.0}"#, #"{"type": "dynamic", "factor": 4}"#,
    #"{"rope_type": "default", "rope_theta": 5000.0}"#,
    #"{"rope_type": "yarn", "factor": 4.0, "beta_fast": 32, "beta_slow": 1, "truncate": false, "#
      + #""original_max_position_embeddings": 8, "mscale": 0.7, "mscale_all_dim": 1.0}"#,
    #"{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "#
      + #""original_max_position_embeddings": 8}"#,
  ]

  private static func family(_ type: String, _ more: String) -> String {
    tinyLlama.replacing("\"llama\"", with: "\"\(type)\"")
      .replacing("\"attention_bias\": true, \"mlp_bias\": false", with: more)
  }

  static var all: [[UInt8]] {
    var texts = [tinyLlama, tinyGPT2]
    for scaling in scalings {
      texts.append(tinyLlama.dropLast() + ", \"rope_scaling\": \(scaling)}")
    }
    texts.append(family("mistral", #""sliding_window": 4"#))
    texts.append(
      family("qwen2", #""use_sliding_window": true, "sliding_window": 4, "max_window_layers": 0"#))
    texts.append(family("olmo2", #""attention_bias": false"#))
    texts.append(family("smollm3", #""no_rope_layers": [0], "no_rope_layer_interval": 4"#))
    texts.append(family("qwen3", #""layer_types": ["full_attention"], "dtype": "bfloat16""#))
    let generation = #"{"bos_token_id": 1, "eos_token_id": [1, 4], "temperature": 0.7}"#
    let own =
      texts.map { Array($0.utf8) } + [
        FuzzReader.joined([tinyLlama, generation].map { Array($0.utf8) })
      ]
    let models = [
      "tiny-qwen2-tied", "tiny-llama-rope3", "tiny-mistral-swa", "tiny-gpt2", "stories260K",
    ]
    return own + models.map { fixture("models/\($0)/config.json") }.filter { !$0.isEmpty }
  }
}
