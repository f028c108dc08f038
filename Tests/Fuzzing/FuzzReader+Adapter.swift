import Models
import Text

// The folder of a LoRA adapter: adapter_config.json with adapter_model.safetensors, on a tiny base
// model.

extension FuzzReader {
  static func adapter(_ folder: FuzzFolder) throws -> FuzzReader {
    let names = ["adapter_config.json", "adapter_model.safetensors"]
    let configuration = try ModelConfiguration(
      JSON.parse(ConfigurationSeeds.tinyLlama), source: "seed")
    let base = try Transformer.random(configuration, seed: 1)
    let seeds = try adapterSettings.map { text in
      let settings = try LoRAConfiguration(
        JSON.parse(text), source: "seed", configuration.architecture)
      let model = try base.adapted(by: base.newAdapter(settings, source: "seed", seed: 1))
      try model.saveAdapter(folder: folder.path)
      return joined([Array(text.utf8), try contents("\(folder.path)/\(names[1])")])
    }
    return FuzzReader(
      name: "adapter", seeds: seeds, files: names, places: weightPlaces
    ) { bytes in
      let files = bytes.files()
      try folder.write(names[0], files.first)
      try folder.write(names[1], files.second ?? UnsafeRawBufferPointer(start: nil, count: 0))
      let adapter = try base.readAdapter(folder: folder.path)
      try useAnyway {
        let model = try base.adapted(by: adapter)
        _ = try model.logits([0, 1])
        _ = try model.merged().logits([0, 1])
        try model.saveAdapter(folder: folder.path)
      }
    }
  }

  private static let adapterSettings = [
    """
    {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "lora_alpha": 4.0, "bias": "none", \
    "target_modules": ["q_proj", "self_attn.v_proj"], "use_rslora": true, "lora_dropout": 0.0, \
    "rank_pattern": {"v_proj": 1}, "alpha_pattern": {"q_proj": 8}, "init_lora_weights": true}
    """,
    #"{"r": 1, "lora_alpha": 1, "target_modules": "all-linear", "modules_to_save": null}"#,
  ]
}
