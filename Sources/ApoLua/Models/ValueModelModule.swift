// The class `apo.ValueModel` and `apo.load_value_model`: critics.

import Core
import Lua
import Models
import Tensors

/// A critic and the files to save with it.
final class Critic: LuaObject {
  static let luaName = "apo.ValueModel"
  let model: ValueModel
  let companions: [String: [UInt8]]

  init(_ model: ValueModel, companions: [String: [UInt8]]) {
    self.model = model
    self.companions = companions
  }
}

private let criticResult = [Returned(.object(Critic.self), "the value model")]

/// `apo.load_value_model`.
let loadValueModelFunction = Function(
  "load_value_model",
  "Reads a critic: a transformer whose head predicts the value of the text so far.",
  [
    Parameter(
      "source", .oneOf([.string, .object(Model.self)]),
      "the folder of a value model or language model, or a language model, which is copied")
  ],
  returns: criticResult,
  details: """
    The head is `score.weight`, as in Hugging Face's ForSequenceClassification with one label
    (TRL's value models); a `score.bias`, as in ForTokenClassification and verl, is kept if
    present. A language model gets a zero head: all values are initially 0.
    """,
  example: "local critic = apo.load_value_model(policy)"
) { call in
  if let model = call[1].ifObject(Model.self) {
    try Memory.check(bytes: model.transformer.parameterCount * 4, for: "load_value_model")
    return try call.result(
      Critic(ValueModel(of: model.transformer), companions: model.companions))
  }
  let path = try call.path()
  return try call.result(
    Critic(ValueModel(folder: path), companions: ModelFolder.readCompanions(path)))
}

private let tensorType = ValueType.object(Tensor.self)

let valueModelClass = Class(
  Critic.self, "A critic: predicts the reward to come after a text.",
  details: "`values` returns one number per token of a rollout, with gradients.",
  methods: [
    Function(
      "values", "Computes the value before each token of a rollout's completions.",
      [
        Parameter("rollout", .object(Rollout.self), "prompts and completions, with token ids"),
        Parameter(
          "options",
          .options([
            Parameter(
              "micro_batch", .integer(minimum: 1),
              "completions held at a time for `backward`, which then recomputes them",
              optional: true)
          ]), "see below", optional: true),
      ],
      returns: [Returned(tensorType, "[tokens], all completions concatenated")],
      details: """
        The value before a token is that of the text before it: the prompt and the earlier tokens
        of the completion. The first value is the prompt's.
        """,
      example: "local value = apo.load_value_model(policy):values(rollout)"
    ) { call in
      let sequences = try call[1].object(Rollout.self).knownSequences()
      return try call.result(
        call.this(Critic.self).model.values(
          sequences, microBatch: call[2].options()["micro_batch"].ifPresent?.integer()))
    },
    Function(
      "parameters", "Returns all weights.",
      returns: [Returned(.list(of: tensorType), "the tensors, the head's last")]
    ) { call in
      let parameters = try call.this(Critic.self).model.parameters
      return try call.result(LuaValue.list(parameters.map { .object($0.tensor) }))
    },
    Function(
      "named_parameters", "Iterates over all weights.",
      returns: [
        Returned(
          .function, "iterator of name and tensor, for `for name, tensor in …`",
          signature: "fun(): string, apo.Tensor")
      ]
    ) { call in
      var parameters = try call.this(Critic.self).model.parameters.makeIterator()
      return try call.result(
        LuaIterator { parameters.next().map { [.string($0.name), .object($0.tensor)] } })
    },
    Function(
      "parameter", "Returns the weights with a given name.",
      [Parameter("name", .string, "the name in the checkpoint, such as `score.weight`")],
      returns: [Returned(tensorType, "the tensor itself, not a copy")]
    ) { call in
      let name = try call[1].string()
      let parameters = try call.this(Critic.self).model.parameters
      guard let found = parameters.first(where: { $0.name.hasSameBytes(as: name) }) else {
        throw LuaError("parameter: the value model has no '\(name)'")
      }
      return try call.result(found.tensor)
    },
    Function(
      "num_parameters", "Counts the weights.", returns: [Returned(.integer(), "their number")]
    ) { call in call.result(try call.this(Critic.self).model.parameterCount) },
    Function(
      "checksum", "Returns a hash of all weights.",
      returns: [Returned(.string, "16 hexadecimal digits")]
    ) { call in
      call.result(try call.this(Critic.self).model.checksum.hexadecimal(16))
    },
    Function(
      "save", "Writes a Hugging Face folder for ForSequenceClassification.",
      [Parameter("path", .string, "the folder, created if missing")],
      details:
        "A crash leaves the old model, the new one or one that does not load; see `model:save`."
    ) { call in
      let critic = try call.this(Critic.self)
      try checkFormat(call.path(), writes: [], what: "save: a folder")
      try critic.model.save(folder: call.path(), companions: critic.companions)
      return call.nothing
    },
    Function("__tostring", "What it is.", returns: [Returned(.string, "one line")]) { call in
      let model = try call.this(Critic.self).model
      let type = model.transformer.configuration.modelType
      return call.result("apo.ValueModel \(type), \(model.parameterCount) weights")
    },
  ])
