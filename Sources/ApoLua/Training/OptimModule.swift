// `apo.optim.adamw` and the class `apo.Optimizer`.

import Core
import Lua
import Models
import Tensors
import Training

/// An optimizer of some parameters.
final class Optimizer: LuaObject {
  static let luaName = "apo.Optimizer"
  let adamW: AdamW
  /// Names and tensors, as in checkpoints.
  let parameters: [(name: String, tensor: Tensor)]

  init(_ parameters: [(name: String, tensor: Tensor)], _ options: AdamWOptions) throws {
    self.parameters = parameters
    adamW = try AdamW(parameters, options: options)
  }

  /// Updates so far: the maximum over the parameters.
  var steps: Int { adamW.state.values.reduce(0) { max($0, $1.step) } }
}

/// The options of AdamW, which functions that make an optimizer declare too.
let adamWOptions = [
  Parameter(
    "lr", .number(), "learning rate", default: .number(AdamWOptions.Default.learningRate)),
  Parameter(
    "betas", .list(of: .number()), "decay rates of the first and second moments",
    default: .list(AdamWOptions.Default.betas.map { .number($0) })),
  Parameter(
    "eps", .number(), "added to the root of the second moment",
    default: .number(AdamWOptions.Default.epsilon)),
  Parameter(
    "weight_decay", .number(), "decoupled weight decay",
    default: .number(AdamWOptions.Default.weightDecay)),
]

/// `apo.optim`.
let optimModule = Module(
  "apo.optim", "Optimisers.",
  functions: [
    Function(
      "adamw", "Makes an AdamW optimizer with the arithmetic of torch.optim.AdamW.",
      [
        Parameter(
          "parameters", .oneOf([.object(Model.self), .list(of: .object(Tensor.self))]),
          "a model (its `model:parameters()`), or a list of tensors that require gradients"
        ),
        Parameter("options", .options(adamWOptions), "see below", optional: true),
      ],
      returns: [Returned(.object(Optimizer.self), "the optimizer")],
      example: "local optimizer = apo.optim.adamw(policy, {lr = 3e-4, weight_decay = 0.01})"
    ) { call in
      let parameters: [(name: String, tensor: Tensor)]
      if let model = call[1].ifObject(Model.self) {
        try model.transformer.checkTrainable(for: "adamw")
        parameters = model.transformer.trainedParameters
      } else {
        let tensors = try call[1].objects(Tensor.self)
        parameters = tensors.enumerated().map { (name: "\($0 + 1)", tensor: $1) }
      }
      return try call.result(Optimizer(parameters, readOptions(call[2].options())))
    }
  ])

private func readOptions(_ options: Options) throws -> AdamWOptions {
  let betas =
    try options["betas"].isAbsent ? AdamWOptions.Default.betas : options["betas"].numbers()
  guard betas.count == 2 else {
    throw LuaError("adamw: option 'betas' must be a list of two numbers, got \(betas.count)")
  }
  do {
    return try AdamWOptions(
      learningRate: options["lr"].number(), beta1: betas[0], beta2: betas[1],
      epsilon: options["eps"].number(), weightDecay: options["weight_decay"].number())
  } catch let error as ArgumentError {
    throw LuaError("adamw: \(error)")
  }
}

let optimizerClass = Class(
  Optimizer.self, "Updates weights from their gradients.",
  details: "You can assign `lr` at any time; `steps` is the number of updates so far.",
  methods: [
    Function(
      "step", "Updates every weight that has a gradient, then clears the gradients.",
      [
        Parameter(
          "options",
          .options([
            Parameter(
              "max_grad_norm", .number(),
              "clip the gradients to this norm, above 0; omit or math.huge for no clipping",
              optional: true)
          ]), "see below", optional: true)
      ],
      returns: [
        Returned(.number(), "the norm of all gradients, before clipping"),
        Returned(.number(), "the norm of the change of all weights"),
      ],
      details: "A gradient that is not finite raises an error and changes nothing.",
      example: "local norm = optimizer:step{max_grad_norm = 1.0}"
    ) { call in
      let limit = try call[1].options()["max_grad_norm"].ifPresent?.number()
      let step = try call.this(Optimizer.self).adamW.step(maxGradNorm: limit)
      return try call.results([.number(step.gradientNorm), .number(step.updateNorm)])
    },
    Function(
      "updates", "Returns whether `step` updates a tensor.",
      [Parameter("tensor", .object(Tensor.self), "such as a parameter of a model")],
      returns: [Returned(.boolean, "compares identity, not values")]
    ) { call in
      let tensor = try call[1].object(Tensor.self)
      return try call.result(
        call.this(Optimizer.self).parameters.contains { $0.tensor === tensor })
    },
    Function("zero_grad", "Clears the gradients, as `step` does.") { call in
      try call.this(Optimizer.self).adamW.zeroGradients()
      return call.nothing
    },
    Function(
      "save", "Writes the optimizer state, to resume later.",
      [Parameter("path", .string, "a .safetensors file, written atomically")]
    ) { call in
      try checkFormat(call.path(), writes: ["safetensors"], what: "save: a .safetensors file")
      try call.this(Optimizer.self).save(call.path())
      return call.nothing
    },
    Function(
      "load", "Loads a state that `save` wrote for the same weights.",
      [Parameter("path", .string, "the file")],
      details: "The options are not part of it. On an error the state is unchanged."
    ) { call in
      try call.this(Optimizer.self).load(call.path())
      return call.nothing
    },
    Function(
      "snapshot", "Copies the weights and the optimizer state in memory.",
      [Parameter("keep", .boolean, "false frees the copy", default: true)],
      details: "Takes 12 bytes per weight. Replaces an earlier snapshot.",
      example: "optimizer:snapshot()   -- then `optimizer:rollback()` takes steps back"
    ) { call in
      let adamW = try call.this(Optimizer.self).adamW
      if try call[1].boolean() { try adamW.snapshot() } else { adamW.dropSnapshot() }
      return call.nothing
    },
    Function(
      "rollback", "Restores weights and state from the last `snapshot`.",
      returns: [Returned(.boolean, "whether there was a snapshot, which is then freed")]
    ) { call in call.result(try call.this(Optimizer.self).adamW.rollBack()) },
    Function("__tostring", "What it is.", returns: [Returned(.string, "one line")]) { call in
      let optimizer = try call.this(Optimizer.self)
      return call.result("apo.Optimizer adamw, lr \(optimizer.adamW.learningRate)")
    },
  ],
  properties: [
    Property(
      "lr", .number(), "The learning rate.",
      set: { call in
        try call.this(Optimizer.self).adamW.setLearningRate(call[1].number())
        return call.nothing
      },
      get: { $0.result(try $0.this(Optimizer.self).adamW.learningRate) }),
    Property("steps", .integer(), "The number of updates so far.") {
      $0.result(try $0.this(Optimizer.self).steps)
    },
  ])

// MARK: Files

private let meanName = ".exp_avg"
private let squareName = ".exp_avg_sq"
private let stepName = ".step"

extension Optimizer {
  /// Moments under torch's names; step counts, which may not fit a float, as metadata.
  fileprivate func save(_ path: String) throws {
    var items: [Safetensors.Item] = []
    var metadata = ["format": "pt"]
    let states = adamW.state
    for (name, _) in parameters {
      guard let state = states[name] else { continue }
      items.append(Safetensors.Item(name: name + meanName, weight: .float32(state.mean)))
      items.append(Safetensors.Item(name: name + squareName, weight: .float32(state.square)))
      metadata[name + stepName] = String(state.step)
    }
    try Safetensors.write(items, to: path, metadata: metadata)
  }

  fileprivate func load(_ path: String) throws {
    let file = try Safetensors(file: path)
    var states: [String: AdamW.State] = [:]
    for (key, value) in file.metadata where key.hasSuffix(stepName) {
      let name = String(key.dropLast(stepName.count))
      guard let step = Int(value) else {
        throw FileError(path, "metadata '\(key)' must be a whole number, got '\(value)'")
      }
      states[name] = AdamW.State(
        step: step, mean: try read(name + meanName, file),
        square: try read(name + squareName, file))
    }
    guard states.count * 2 == file.names.count else {
      throw FileError(path, "is not an optimizer state: tensors and metadata do not match")
    }
    do {
      try adamW.restore(states)
    } catch {
      throw FileError(path, "\(error)")
    }
  }

  private func read(_ name: String, _ file: Safetensors) throws -> Tensor {
    let tensor = try Tensor.result(file.shape(of: name), for: "load")
    try file.read(name, into: tensor.pointer, count: tensor.count)
    return tensor
  }
}
