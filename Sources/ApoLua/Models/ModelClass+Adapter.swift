// Methods of models about LoRA adapters: adding, files, merging, and the model without one.

import Core
import Lua
import Models
import Tensors
import Text

/// `adapter` of the methods that compute.
let adapterOption = Parameter(
  "adapter", .boolean, "false: without the model's adapter, as the base model", default: true)

private let thisModel = [Returned(.object(Model.self), "the model itself")]

private let addOptions = [
  Parameter("r", .integer(minimum: 1, maximum: 65_536), "rank of the factors", default: 8),
  Parameter("lora_alpha", .number(), "the update is scaled by lora_alpha / r", default: 8),
  Parameter(
    "target_modules", .oneOf([.string, .list(of: .string)]),
    "names of linear layers or their suffixes, or `all-linear`; default: as in PEFT, q_proj and "
      + "v_proj, or c_attn in GPT-2", optional: true),
  Parameter(
    "use_rslora", .boolean, "scale by lora_alpha / sqrt(r) instead (arXiv 2312.03732)",
    default: false),
  Parameter("rank_pattern", .table, "ranks by name suffix", optional: true),
  Parameter("alpha_pattern", .table, "lora_alpha by name suffix", optional: true),
  Parameter(
    "seed", .integer(), "seed of the initial values; default: from the run's", optional: true),
]

func adapterMethods(_ run: RunState) -> [Function] {
  [addMethod(run), loadMethod, saveMethod, mergeMethod, baseMethod]
}

private func addMethod(_ run: RunState) -> Function {
  Function(
    "add_adapter", "Adds a new LoRA adapter, which is trained instead of the weights.",
    [Parameter("options", .options(addOptions), "see below", optional: true)],
    returns: thisModel,
    details: """
      Names and defaults are those of PEFT's LoraConfig. `y = x W^T` becomes
      `y = x W^T + lora_alpha / r (x A^T) B^T` (arXiv 2106.09685); A is random and B zero, so the
      model's output is initially unchanged. The weights are frozen: optimizers made from the
      model update the adapter.
      """,
    example: """
      local policy = apo.load("models/arithmetic")
      policy:add_adapter{r = 16, lora_alpha = 32, target_modules = "all-linear", seed = 1}
      """
  ) { call in
    let model = try call.this(Model.self)
    try requireNoAdapter(model, "add_adapter")
    let options = try call[1].options()
    let transformer = model.transformer
    let configuration = try LoRAConfiguration(
      settings(options), source: "add_adapter", transformer.configuration.architecture)
    let seed = try options["seed"].ifPresent?.integer()
    let adapter = try transformer.newAdapter(
      configuration, source: "add_adapter",
      seed: seed.map { UInt64(bitPattern: Int64($0)) } ?? run.nextModelSeed())
    try model.become(transformer.adapted(by: adapter))
    return try call.selfResult()
  }
}

private func requireNoAdapter(_ model: Model, _ function: String) throws {
  guard model.transformer.adapter == nil else {
    throw LuaError(
      "\(function): the model already has an adapter; merge_adapter() merges it into the "
        + "weights, base_model() returns the model without it")
  }
}

private func requireAdapter(_ model: Model, _ function: String) throws {
  guard model.transformer.adapter != nil else {
    throw LuaError("\(function): the model has no adapter; see add_adapter and load_adapter")
  }
}

/// The options as adapter_config.json would have them.
private func settings(_ options: Options) throws -> JSON {
  var result = JSON.object([])
  result.set("peft_type", .string("LORA"))
  result.set("task_type", .string("CAUSAL_LM"))
  result.set("r", .integer(try options["r"].integer()))
  let alpha = try options["lora_alpha"].number()
  guard alpha.isFinite else {
    throw LuaError("add_adapter: option 'lora_alpha' must be a positive number, got \(alpha)")
  }
  result.set("lora_alpha", Int(exactly: alpha).map { .integer($0) } ?? .double(alpha))
  result.set("use_rslora", .bool(try options["use_rslora"].boolean()))
  let targets = try options["target_modules"]
  if targets.kind == .string {
    result.set("target_modules", .string(try targets.string()))
  } else if !targets.isAbsent {
    result.set("target_modules", .array(try targets.strings().map { .string($0) }))
  }
  for name in ["rank_pattern", "alpha_pattern"] {
    guard let value = try options[name].ifPresent?.value() else { continue }
    let json = try JSONEncoder().encode(value)
    result.set(name, json == .array([]) ? .object([]) : json)
  }
  return result
}

private let loadMethod = Function(
  "load_adapter", "Loads a LoRA adapter from a PEFT folder, for use or further training.",
  [Parameter("path", .string, "the folder: adapter_config.json, adapter_model.safetensors")],
  returns: thisModel,
  details: """
    The model must be the one that the adapter was made for. Settings that need another formula,
    such as `use_dora` or `modules_to_save`, are errors that name the field. Dropout is always 0,
    whatever the file says.
    """
) { call in
  let model = try call.this(Model.self)
  try requireNoAdapter(model, "load_adapter")
  let adapter = try model.transformer.readAdapter(folder: call.path())
  try model.become(model.transformer.adapted(by: adapter))
  return try call.selfResult()
}

private let saveMethod = Function(
  "save_adapter", "Writes only the adapter, as a folder that PEFT loads.",
  [
    Parameter("path", .string, "the folder, created if missing"),
    Parameter(
      "options",
      .options([
        Parameter(
          "dtype", .choice(["float32", "bfloat16"]), "dtype of the factors",
          default: "float32")
      ]), "see below", optional: true),
  ],
  details: """
    As in `save`, a crash leaves the old adapter, the new one or a folder that does not load.
    `base_model_name_or_path` is the model's `path`.
    """,
  example: """
    local adapted = apo.load("models/arithmetic"):add_adapter{r = 8}
    adapted:save_adapter("runs/one/adapter")
    local again = apo.load("models/arithmetic"):load_adapter("runs/one/adapter")
    """
) { call in
  let model = try call.this(Model.self)
  try requireAdapter(model, "save_adapter")
  try checkFormat(call.path(), writes: [], what: "save_adapter: a folder")
  let type = try call[2].options()["dtype"].string()
  try model.transformer.saveAdapter(
    folder: call.path(), base: model.path, type: type == "bfloat16" ? .bfloat16 : .float32)
  return call.nothing
}

private let mergeMethod = Function(
  "merge_adapter", "Merges the adapter into the weights, which gives an ordinary trainable model.",
  returns: thisModel,
  details: """
    The weights become W + s B A in new memory, so models from `base_model` do not change. Results
    are equal up to rounding.
    """
) { call in
  let model = try call.this(Model.self)
  try requireAdapter(model, "merge_adapter")
  try Memory.check(bytes: model.transformer.parameterCount * 4, for: "merge_adapter")
  try model.become(model.transformer.merged().clone())
  return try call.selfResult()
}

private let baseMethod = Function(
  "base_model", "Returns the model without its adapter, sharing the frozen weights.",
  returns: [Returned(.object(Model.self), "another model that shares all weights")],
  details: "Use it as the reference policy for adapter training, at no extra memory.",
  example: #"local base = apo.load("models/arithmetic"):add_adapter{r = 8}:base_model()"#
) { call in
  let model = try call.this(Model.self)
  try requireAdapter(model, "base_model")
  return try call.result(
    Model(
      model.transformer(withAdapter: false), tokenizer: model.tokenizer,
      companions: model.companions, path: model.path))
}
