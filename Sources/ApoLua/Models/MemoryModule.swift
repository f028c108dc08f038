// `apo.memory_estimate`: what a run needs, what is available, and what to change if it does not
// fit. MB are 10^6 bytes.

import Core
import Lua
import Models
import Tensors

private let modelOrPath = ValueType.oneOf([.object(Model.self), .string])

private let estimateOptions = [
  Parameter("policy", modelOrPath, "the model, or its folder, of which only config.json is read"),
  Parameter(
    "reference", .oneOf([.object(Model.self), .string, .boolean]),
    "the reference model, its folder, or `false` if it takes no extra memory; default: a copy "
      + "of the policy", optional: true),
  Parameter(
    "critic", .oneOf([.object(Critic.self), .object(Model.self), .string]),
    "a critic that is trained after the policy, the model that it becomes a copy of, or the folder "
      + "of either", optional: true),
  Parameter("dtype", weightTypes, "dtype of a policy given as a folder", default: "float32"),
  Parameter(
    "kv_cache_dtype", keyValueTypes, "KV-cache dtype of a policy given as a folder",
    default: "float32"),
  Parameter(
    "reference_dtype", weightTypes, "dtype of a reference that is not a loaded model",
    default: "float32"),
  Parameter("train", .boolean, "whether the policy is trained or only sampled", default: true),
  Parameter("batch_size", .integer(minimum: 1, maximum: 1 << 24), "prompts per step", default: 64),
  Parameter("n", .integer(minimum: 1, maximum: 1 << 24), "completions per prompt", default: 1),
  Parameter(
    "mini_batch", .integer(minimum: 1), "completions per update; default: all of a step",
    optional: true),
  Parameter(
    "micro_batch", .integer(minimum: 1), "as for `model:logprobs`", optional: true),
  Parameter(
    "fresh", .boolean,
    "whether each step makes one update on the completions just sampled, without entropies; "
      + "otherwise the activations of a whole update, or of a `micro_batch`, are held",
    default: true),
  Parameter(
    "sampler", .boolean, "whether a frozen copy of the policy samples in its place",
    default: false),
  Parameter(
    "snapshot", .boolean,
    "whether trained weights and Adam moments are copied before the first update of a step, as "
      + "apo.train does for steps with several", default: false),
  Parameter(
    "prompt_tokens", .integer(minimum: 1, maximum: 1 << 24), "tokens per prompt", default: 64),
  Parameter(
    "max_tokens", .integer(minimum: 1, maximum: 1 << 24), "longest completion", default: 16),
]

/// `apo.memory_estimate`.
let memoryEstimateFunction = Function(
  "memory_estimate", "Estimates the memory of a run before it allocates.",
  [Parameter("options", .options(estimateOptions), "as for apo.train")],
  returns: [
    Returned(
      .table,
      "bytes: `weights`, `packed` (the copies that products use), `optimizer`, `snapshot`, "
        + "`reference`, `sampler` (a copy of the policy), `critic` (with its optimizer), and of "
        + "the three phases `generation` (of which `cache`), `scoring`, `update` (of which "
        + "`gradients`, `activations`); `total`, "
        + "all tensors at the worst moment; `resident`, the whole process then, with freed "
        + "tensors that are kept for reuse; `needed`, `total` less what is allocated already; "
        + "`available`; `fits`; `advice`, a list of changes"),
    Returned(.string, "the same as one line of text"),
  ],
  details: """
    Completions count with `max_tokens`. In the line MB are 10^6 bytes and GB 10^9.
    `apo.train` shows the line and stops where the
    memory would not suffice.
    """,
  example: """
    local estimate, text = apo.memory_estimate{
      policy = "models/arithmetic", batch_size = 16, micro_batch = 4, max_tokens = 256,
    }
    print(text)
    """
) { call in
  let question = try MemoryQuestion(call[1].options())
  let estimate = try MemoryEstimate(question.plan)
  let needed = max(0, estimate.total - question.held)
  let resident = estimate.resident(others: question.others)
  let available = Memory.usableBytes()
  let advice = try needed < available ? [] : question.advice(beyond: available)
  let parts: [(String, Int)] = [
    ("weights", estimate.weights), ("packed", estimate.packed),
    ("optimizer", estimate.optimizer), ("snapshot", estimate.snapshot),
    ("reference", estimate.reference), ("sampler", estimate.sampler),
    ("critic", estimate.critic),
    ("gradients", estimate.gradients), ("activations", estimate.activations),
    ("cache", estimate.cache), ("generation", estimate.generation), ("scoring", estimate.scoring),
    ("update", estimate.update), ("total", estimate.total),
    ("resident", resident), ("needed", needed), ("available", available),
  ]
  let fields: [(name: String, value: LuaValue)] =
    parts.map { ($0, .integer($1)) }
    + [
      ("fits", .boolean(needed < available)),
      ("advice", .list(advice.map { .string($0) })),
    ]
  return try call.results([
    .table(LuaTable(fields: fields)),
    .string(estimate.line(resident: resident, available: available, needed)),
  ])
}

/// The options of a call.
private struct MemoryQuestion {
  var plan: MemoryPlan
  /// Bytes already used by the models.
  let held: Int
  /// Bytes of the process beside the models and what it keeps of freed tensors.
  let others: Int
  private let canSharpen: Bool

  init(_ options: Options) throws {
    let type = try ScalarType(rawValue: options["dtype"].string()) ?? .float32
    let referenceType = try ScalarType(rawValue: options["reference_dtype"].string()) ?? .float32
    let policy = try SizedModel(options["policy"], type)
    let given = try options["reference"]
    let isTrained = try options["train"].boolean()
    var reference: SizedModel?
    switch given.kind {
    case .boolean: reference = try given.boolean() ? policy.copy(as: referenceType) : nil
    case .none, .nil: reference = isTrained ? policy.copy(as: referenceType) : nil
    default: reference = try SizedModel(given, referenceType)
    }
    // An adapter's base model holds no weights of its own.
    if policy.hasAdapter, given.kind == .none || given.kind == .nil || policy.shares(reference) {
      reference = nil
    }
    canSharpen = reference?.type == .float32
    let critic = try options["critic"].ifPresent.map { try SizedCritic($0) }
    held = policy.held + (reference?.held ?? 0) + (critic?.held ?? 0)
    others = max(0, residentBytes() - held - Memory.keptBytes)
    plan = MemoryPlan(
      policy: (policy.configuration, policy.type),
      reference: reference.map { ($0.configuration, $0.type) },
      trainedCount: isTrained ? policy.trainedCount : 0)
    plan.adapterCount = policy.adapterCount
    plan.critic = critic?.configuration
    if let reference, reference.held > 0 {
      plan.packedReference = max(
        0,
        reference.held - reference.configuration.architecture.weightBytes(as: reference.type))
    }
    plan.keyValueType =
      try policy.keyValueType ?? ScalarType(rawValue: options["kv_cache_dtype"].string())
      ?? .float32
    plan.batchSize = try options["batch_size"].integer()
    plan.samples = try options["n"].integer()
    plan.miniBatch = try options["mini_batch"].ifPresent?.integer()
    plan.microBatch = try options["micro_batch"].ifPresent?.integer()
    plan.isFresh = try options["fresh"].boolean()
    plan.keepsSnapshot = try options["snapshot"].boolean()
    plan.hasSampler = try options["sampler"].boolean()
    plan.promptTokens = try options["prompt_tokens"].integer()
    plan.maxTokens = try options["max_tokens"].integer()
    guard plan.batchSize * plan.samples <= 1 << 24 else {
      throw LuaError(
        "memory_estimate: batch_size = \(plan.batchSize) with n = \(plan.samples) is too much")
    }
  }

  /// Changes that save memory, with their savings, largest first.
  func advice(beyond available: Int) throws -> [String] {
    let now = try MemoryEstimate(plan).total
    var found: [(saved: Int, text: String)] = []
    func consider(_ text: String, _ change: (inout MemoryPlan) -> Void) throws {
      var other = plan
      change(&other)
      let saved = try now - MemoryEstimate(other).total
      if saved > now / 100 { found.append((saved, text)) }
    }
    if plan.trainedCount > 0, plan.group > 1 {
      let smaller = [16, 8, 4, 2, 1].first { $0 <= plan.group / 2 } ?? 1
      try consider("micro_batch = \(smaller)") { $0.microBatch = smaller }
    }
    if canSharpen {
      try consider(#"a reference held as bfloat16: policy:clone{dtype = "bfloat16"}"#) {
        if let reference = $0.reference { $0.reference = (reference.configuration, .bfloat16) }
      }
    }
    if plan.trainedCount == plan.policy.configuration.parameterCount {
      try consider("LoRA, which trains few weights and needs no reference of its own") {
        $0.trainedCount /= 100
        $0.adapterCount = $0.trainedCount
        $0.reference = nil
      }
    }
    if plan.batchSize > 1 {
      try consider("batch_size = \(plan.batchSize / 2)") { $0.batchSize /= 2 }
    }
    if plan.maxTokens > 1 {
      try consider("max_tokens = \(plan.maxTokens / 2)") { $0.maxTokens /= 2 }
    }
    return found.sorted { $0.saved > $1.saved }.map { "\($0.text) (saves \(size($0.saved)))" }
  }
}

/// A model, or what a folder says about one.
private struct SizedModel {
  let configuration: ModelConfiguration
  let type: ScalarType
  let trainedCount: Int
  let held: Int
  private let transformer: Transformer?

  /// The dtype of its cache; nil if unknown.
  var keyValueType: ScalarType? { transformer?.keyValueType }

  /// Weights of the adapter.
  var adapterCount: Int {
    transformer?.adapter?.parameters.reduce(0) { $0 + $1.tensor.count } ?? 0
  }

  /// Whether only an adapter is trained.
  var hasAdapter: Bool { transformer?.adapter != nil }

  init(_ argument: Argument, _ type: ScalarType) throws {
    if let model = argument.ifObject(Model.self) {
      transformer = model.transformer
      configuration = model.transformer.configuration
      self.type = model.transformer.weightType
      trainedCount = model.transformer.trainedCount
      held =
        model.transformer.residentBytes
        + (model.transformer.adapter?.parameters.reduce(0) { $0 + $1.tensor.count * 4 } ?? 0)
    } else {
      let path: String
      do { path = try argument.path() } catch { throw LuaError("memory_estimate: \(error)") }
      transformer = nil
      configuration = try ModelConfiguration(folder: path)
      self.type = type
      trainedCount = type == .float32 ? configuration.parameterCount : 0
      held = 0
    }
  }

  private init(_ original: SizedModel, as type: ScalarType) {
    configuration = original.configuration
    self.type = type
    (trainedCount, held, transformer) = (0, 0, nil)
  }

  /// Whether another model shares the same weights in memory.
  func shares(_ other: SizedModel?) -> Bool {
    guard let mine = transformer, let other = other?.transformer else { return false }
    return mine.sharesWeights(with: other)
  }

  /// The size of a copy.
  func copy(as type: ScalarType) -> SizedModel { SizedModel(self, as: type) }
}

/// A critic, or what one will be.
private struct SizedCritic {
  let configuration: ModelConfiguration
  let held: Int

  init(_ argument: Argument) throws {
    if let critic = argument.ifObject(Critic.self) {
      configuration = critic.model.transformer.configuration
      held = critic.model.transformer.residentBytes
    } else {
      configuration = try SizedModel(argument, .float32).configuration
      held = 0
    }
  }
}

extension MemoryEstimate {
  fileprivate func line(resident: Int, available: Int, _ needed: Int) -> String {
    let phases = [("generation", generation), ("scoring", scoring), ("update", update)]
    let largest = phases.max { $0.1 < $1.1 } ?? phases[0]
    let parts = [
      ("weights", weights), ("packed copies", packed), ("optimizer", optimizer),
      ("copy for steps that end half way", snapshot), ("reference", reference),
      ("sampler", sampler), ("critic", critic),
      largest.0 == "update" ? ("gradients", gradients) : ("", 0),
      largest.0 == "update" ? ("activations and buffers", update - gradients) : largest,
      ("the program and freed blocks", resident - total),
    ]
    let shown = parts.filter { $0.1 > 0 }.map { "\($0.0) \(size($0.1))" }
    return "memory: about \(size(resident)) at most (\(shown.joined(separator: ", "))), of which "
      + "\(size(needed)) still to be allocated; \(size(available)) available"
  }
}

/// Human-readable bytes.
private func size(_ bytes: Int) -> String {
  let megabytes = Double(bytes) / 1e6
  if megabytes < 9.95 { return "\((megabytes * 10).rounded() / 10) MB" }
  if megabytes < 999.5 { return "\(Int(megabytes.rounded())) MB" }
  return "\((megabytes / 10).rounded() / 100) GB"
}
