// The class `apo.Model`: weights, files, logits and log-probabilities.

import Core
import Lua
import Models
import Tensors

func modelClass(_ run: RunState, _ rows: RowNumbers) -> Class {
  Class(
    Model.self, "A language model: weights, configuration and tokenizer.",
    details: """
      Token ids are the tokenizer's numbers and count from 0. `generate` samples completions;
      `logprobs` computes their log-probabilities as a tensor with gradients. With a LoRA adapter
      (`add_adapter`, `load_adapter`) the model's weights are frozen and only the adapter is
      trained.
      """,
    methods: weightMethods + adapterMethods(run)
      + [logitsMethod, logProbabilitiesMethod, generateMethod(run, rows)],
    properties: [
      Property("config", .table, "The keys of config.json, in a new table.") {
        try $0.result(LuaValue($0.this(Model.self).transformer.configuration.original))
      },
      Property(
        "tokenizer", .object(TokenizerObject.self), "The tokenizer, or nil."
      ) { call in
        guard let tokenizer = try call.this(Model.self).tokenizer else {
          return try call.result(LuaValue.nil)
        }
        return try call.result(tokenizer)
      },
      Property("adapter", .table, "The keys of adapter_config.json; nil without an adapter.") {
        let adapter = try $0.this(Model.self).transformer.adapter
        return try $0.result(adapter.map { try LuaValue($0.configuration.original) } ?? .nil)
      },
      Property("path", .string, "The folder it was loaded from; nil for a new model.") {
        try $0.result($0.this(Model.self).path.map { LuaValue.string($0) } ?? .nil)
      },
      Property(
        "dtype", .string, "The dtype of the matrices: \"float32\" or \"bfloat16\"."
      ) { try $0.result($0.this(Model.self).transformer.weightType.rawValue) },
      Property(
        "kv_cache_dtype", .string,
        "The dtype of keys and values: \"float32\" or \"bfloat16\"."
      ) { try $0.result($0.this(Model.self).transformer.keyValueType.rawValue) },
    ])
}

private let tensorType = ValueType.object(Tensor.self)

private let weightMethods = [
  Function(
    "parameters", "Returns the trainable weights: the adapter's if there is one, otherwise all.",
    returns: [Returned(.list(of: tensorType), "the tensors, in checkpoint order")],
    details: "Matrices held in bfloat16 are copied."
  ) { call in
    let weights = try call.this(Model.self).transformer.listedWeights
    return try call.result(LuaValue.list(weights.map { .object(try $0.weight.floats()) }))
  },
  Function(
    "named_parameters", "Iterates over the names and tensors of `parameters`.",
    returns: [
      Returned(
        .function, "iterator of name and tensor, for `for name, tensor in …`",
        signature: "fun(): string, apo.Tensor")
    ],
    details: "Matrices held in bfloat16 are copied.",
    example: "for name, weight in model:named_parameters() do print(name, weight:shape()[1]) end"
  ) { call in
    var weights = try call.this(Model.self).transformer.listedWeights.makeIterator()
    return try call.result(
      LuaIterator {
        try weights.next().map { [.string($0.name), .object(try $0.weight.floats())] }
      })
  },
  Function(
    "parameter", "Returns the weights with a given name, of the model or its adapter.",
    [Parameter("name", .string, "the name in the checkpoint")],
    returns: [Returned(tensorType, "the tensor itself, or a copy if it is held in bfloat16")],
    example: #"model:parameter("model.norm.weight").grad"#
  ) { call in
    let name = try call[1].string()
    let weights = try call.this(Model.self).transformer.allWeights
    if let found = weights.first(where: { $0.name.hasSameBytes(as: name) }) {
      return try call.result(found.weight.floats())
    }
    let hint = nearestName(to: name, in: weights.map(\.name)).map { "; did you mean '\($0)'?" }
    throw LuaError("parameter: the model has no '\(name)'\(hint ?? "")")
  },
  Function(
    "num_parameters", "Counts all weights, including the adapter's.",
    returns: [Returned(.integer(), "their number")]
  ) { call in call.result(try call.this(Model.self).transformer.parameterCount) },
  Function(
    "checksum", "Returns a hash of all weights, to tell models apart.",
    returns: [Returned(.string, "16 hexadecimal digits")]
  ) { call in
    call.result(try call.this(Model.self).transformer.checksum.hexadecimal(16))
  },
  Function(
    "clone", "Copies the model with all weights and its adapter.",
    [
      Parameter(
        "options",
        .options([
          Parameter(
            "dtype", weightTypes, "dtype of the copy's matrices; default: unchanged",
            optional: true)
        ]), "see below", optional: true)
    ],
    returns: [
      Returned(
        .object(Model.self), "the copy, trainable if its dtype is float32 or it has an adapter")
    ],
    details: """
      With `dtype = "bfloat16"` the copy's matrices take half the memory, use float32 sums, and
      are frozen: for a reference policy.
      """,
    example: #"local reference = policy:clone{dtype = "bfloat16"}"#
  ) { call in
    let model = try call.this(Model.self)
    let type = try call[1].options()["dtype"].ifPresent.flatMap {
      try ScalarType(rawValue: $0.string())
    }
    try Memory.check(bytes: model.transformer.cloneBytes(as: type), for: "clone")
    return try call.result(
      Model(
        model.transformer.clone(as: type), tokenizer: model.tokenizer, companions: model.companions,
        path: model.path))
  },
  Function(
    "freeze", "Freezes all weights, as for a reference policy.",
    returns: [Returned(.object(Model.self), "the model itself")],
    example: "local reference = policy:clone():freeze()"
  ) { call in
    try call.this(Model.self).transformer.setTrainable(false)
    return try call.selfResult()
  },
  saveModelMethod,
  Function("__tostring", "What it is.", returns: [Returned(.string, "one line")]) { call in
    let model = try call.this(Model.self)
    let type = model.transformer.configuration.modelType
    let text = "apo.Model \(type), \(model.transformer.parameterCount) weights"
    guard let adapter = model.transformer.adapter else { return call.result(text) }
    let count = adapter.parameters.reduce(0) { $0 + $1.tensor.count }
    return call.result("\(text), of which \(count) of a LoRA adapter are trained")
  },
]

private let logitsMethod = Function(
  "logits", "Computes the logits of the next token after every token.",
  [Parameter("ids", .list(of: .integer()), "the token ids of one sequence")],
  returns: [Returned(tensorType, "logits [T, V]")],
  details: "Token id k is at position k + 1 of a row."
) { call in
  try call.result(call.this(Model.self).transformer.logits(call[1].integers()))
}

private let logProbabilityOptions = [
  Parameter(
    "per_token", .boolean, "one value per token of all completions, concatenated", default: false),
  Parameter(
    "temperature", .number(), "divides the logits; default: the sampling temperature",
    optional: true),
  Parameter("entropy", .boolean, "return the entropies as a second result", default: false),
  Parameter(
    "micro_batch", .integer(minimum: 1),
    "completions held at a time for `backward`, which then recomputes them; default: all, or "
      + "about 1,500 tokens for fresh samples",
    optional: true),
  adapterOption,
]

private let logProbabilitiesMethod = Function(
  "logprobs", "Computes the log-probabilities of a rollout's completions.",
  [
    Parameter("rollout", .object(Rollout.self), "prompts and completions"),
    Parameter("options", .options(logProbabilityOptions), "see below", optional: true),
  ],
  returns: [
    Returned(tensorType, "the sum over each completion [B], or per token [tokens]"),
    Returned(
      tensorType,
      "with `entropy`: the mean entropy of each completion [B], or per token [tokens], in nats"),
  ],
  details: """
    Covers only completion tokens, including the end token. Differentiable unless the model is
    frozen. For the model that sampled the rollout, the values equal `rollout:logprobs()` to the
    bit.

    A rollout is fresh while the model still has the weights that sampled it and the temperature
    is the same, whatever `top_k` etc. were. Then the values come from the sampler, and only
    `backward` computes the layers, in groups of about 1,500 tokens or `micro_batch` completions;
    it raises if any value differs. With `entropy`, without a graph, and for completions passed
    through `apo.rollout`, values are computed immediately.
    """,
  example: "local logp = policy:logprobs(rollout)"
) { call in
  let model = try call.this(Model.self)
  let rollout = try call[1].object(Rollout.self)
  let options = try call[2].options()
  let temperature = try options["temperature"].ifPresent?.number() ?? rollout.temperature
  guard temperature >= 1e-2, temperature <= 1e6 else {
    throw LuaError(
      "logprobs: option 'temperature' must be a number from 0.01 to 1e6, got \(temperature)")
  }
  let wantsEntropy = try options["entropy"].boolean()
  let transformer = try model.transformer(withAdapter: options["adapter"].boolean())
  let scored = try transformer.logProbabilities(
    rollout.sequences(for: model), temperature: Float(temperature), entropy: wantsEntropy,
    microBatch: options["micro_batch"].ifPresent?.integer(),
    sampled: rollout.sampled(by: transformer, temperature: temperature))
  let isPerToken = try options["per_token"].boolean()
  let (perToken, entropies) = (try scored.select(0), try scored.select(1))
  let sums = try isPerToken ? perToken : rollout.sum(perToken)
  guard wantsEntropy else { return try call.result(sums) }
  let means = try isPerToken ? entropies : rollout.mean(entropies)
  return try call.results([.object(sums), .object(means)])
}
