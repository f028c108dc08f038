import Core
import Tensors

// What a training run will need, from sizes alone, before anything is allocated.
//
// The estimate follows the engine's own bookkeeping: what each layer keeps for backward(), when it
// is freed, and which buffers are made on the way. Objects of Lua and Swift, tokens and texts,
// which are small beside tensors, count only as far as the process holds them already.

/// Bytes that a plan needs.
public struct MemoryEstimate: Sendable {
  /// Weights of the policy and its adapter.
  public let weights: Int
  /// Packed copies of the policy's matrices, from its sampling to its update.
  public let packed: Int
  /// Those of frozen matrices, which stay.
  public let packedAlways: Int
  /// The optimizer's two moments.
  public let optimizer: Int
  /// The copy of trained weights and moments.
  public let snapshot: Int
  /// Weights of the reference; where it sampled, as in stage 1, packed copies stay beside them.
  public let reference: Int
  /// Weights and packed copies of a frozen copy of the policy that samples in its place.
  public let sampler: Int
  /// The critic's weights and its optimizer's moments.
  public let critic: Int
  /// Gradients of the trained weights.
  public let gradients: Int
  /// What is kept for backward() at its start.
  public let activations: Int
  /// Keys and values of the tokens of the sequences that are sampled at a time.
  public let cache: Int
  /// Sampling: the cache and the buffers of a pass.
  public let generation: Int
  /// Scoring under the reference or without gradients.
  public let scoring: Int
  /// An update, of the policy or the critic: gradients, activations and the buffers of backward().
  public let update: Int
  /// What an update allocates beyond what it holds at a time.
  private let reused: Int

  /// The most that tensors hold at a time: what always stays, and the largest of the three phases.
  public var total: Int {
    weights + optimizer + snapshot + reference + sampler + critic
      + max(packed + max(generation, scoring), packedAlways + update)
  }

  /// The most that the process holds at a time where it holds `others` bytes beside the tensors of
  /// the plan. Freed blocks are kept as far as they may: those of sampling, and those that the
  /// update frees before its largest moment or needs after it. Scoring uses blocks of the update
  /// where their sizes are alike: about half, as measured.
  public func resident(others: Int) -> Int {
    let kept = generation + scoring / 2 + reused
    return others + total + min(kept, Memory.mostKept(beyond: total))
  }

  /// Computes what `plan` needs; throws where that is beyond 2^60 bytes.
  public init(_ plan: MemoryPlan) throws(MemoryPlanTooLarge) {
    try plan.check()
    let c = plan.policy.configuration.architecture
    weights = c.weightBytes(as: plan.policy.type) + plan.adapterCount * 4
    packed = plan.policy.type == .float32 ? c.layout.packedBytes : 0
    packedAlways = plan.isFrozen ? packed : 0
    let ofReference = plan.reference.map { $0.configuration.architecture.weightBytes(as: $0.type) }
    reference = (ofReference ?? 0) + plan.packedReference
    critic = (plan.critic?.architecture.countBelowHead ?? 0) * 12
    optimizer = plan.trainedCount * 8
    let updated = plan.trainedCount + (plan.critic?.architecture.countBelowHead ?? 0)
    sampler = plan.hasSampler ? weights + packed : 0
    snapshot = plan.keepsSnapshot ? updated * 12 + (plan.hasSampler ? weights : 0) : 0
    gradients = plan.trainedCount * 4
    let sampled = GenerationSize(plan)
    cache = sampled.cache
    generation = sampled.peak
    let length = plan.promptTokens + plan.maxTokens - 1
    let completions = plan.batchSize * plan.samples
    scoring =
      [c, plan.reference?.configuration.architecture ?? c].map {
        $0.scoringBytes(tokens: min(completions * length, groupTokens + length), plan)
      }.max() ?? 0
    guard plan.trainedCount > 0 else {
      (activations, update, reused) = (0, 0, 0)
      return
    }
    let training = TrainingSize(c, plan, sequences: plan.group, length: length)
    activations = training.activations
    let ofPolicy = training.peak(gradients: gradients, isGrouped: plan.group < plan.updated)
    reused = training.sum(gradients: gradients) - ofPolicy
    update = max(
      ofPolicy, plan.critic.map { TrainingSize.critic($0.architecture, plan, length: length) } ?? 0)
  }
}

extension Architecture {
  /// Weights of a critic: its head of one number takes the place of the output layer.
  fileprivate var countBelowHead: Int {
    parameterCount - (tiesEmbeddings ? 0 : layout.head.count)
  }

  /// Floats per token that a forward pass without a graph holds at its widest; in decoding the gate
  /// becomes SwiGLU's output.
  fileprivate func passingFloats(decoding: Bool) -> Int {
    let attention =
      2 * hiddenSize + 3 * headCount * headSize + 4 * keyValueHeadCount * headSize
    let inner =
      2 * hiddenSize + (decoding ? 2 : feedForward.savedRows) * intermediateSize
    return max(attention, inner)
  }

  /// Rows of the logits that exist at a time where log-probabilities are computed.
  fileprivate func logitRows(_ asked: Int) -> Int {
    min(asked, Tensors.logitRows(vocabularySize))
  }

  fileprivate func scoringBytes(tokens: Int, _ plan: MemoryPlan) -> Int {
    let length = plan.promptTokens + plan.maxTokens - 1
    let asked = max(1, tokens / max(1, length)) * plan.maxTokens
    let head = tokens * hiddenSize + logitRows(asked) * (vocabularySize + hiddenSize)
    return max(tokens * passingFloats(decoding: false), head) * 4
  }
}

/// What sampling needs beside the weights.
private struct GenerationSize {
  let cache: Int
  let peak: Int

  init(_ plan: MemoryPlan) {
    let c = plan.policy.configuration.architecture
    let wanted = plan.batchSize * plan.samples
    let capacity = Generator.capacity(
      c, plan.keyValueType, longest: plan.promptTokens + plan.maxTokens)
    let running = min(wanted, capacity)
    let prompts = min(plan.batchSize, (running + plan.samples - 1) / plan.samples)
    func pages(_ tokens: Int) -> Int { (tokens + KVCache.pageTokens - 1) / KVCache.pageTokens }
    let page = KVCache.pageTokens * KVCache.bytesPerToken(c, plan.keyValueType)
    let ofPrompts = prompts * pages(plan.promptTokens) * page
    // A single sample goes on in the prompt's last page.
    cache =
      plan.samples == 1
      ? running * pages(plan.promptTokens + plan.maxTokens - 1) * page
      : ofPrompts + running * pages(plan.maxTokens - 1) * page
    let entering =
      min(prompts * plan.promptTokens, Generator.enteringTokens + plan.promptTokens)
      * c.passingFloats(decoding: true)
      * 4
    let decoding =
      running * (c.vocabularySize + max(c.hiddenSize, c.passingFloats(decoding: true))) * 4
    // Prompts enter before their completions have pages; where all cannot run at once, others enter
    // while some do.
    peak = max(ofPrompts + entering, cache + decoding + (running < wanted ? entering : 0))
  }
}

/// What an update needs besides weights and optimizer.
private struct TrainingSize {
  let configuration: Architecture
  let tokens: Int
  let asked: Int
  /// Whether logits are computed.
  var hasHead = true
  /// Whether no matrix of the model has a gradient, as with an adapter.
  var isFrozen: Bool

  init(_ c: Architecture, _ plan: MemoryPlan, sequences: Int, length: Int) {
    configuration = c
    isFrozen = plan.isFrozen
    tokens = sequences * length
    asked = sequences * plan.maxTokens
  }

  /// The most of a critic's update, for which activations of all completions are held, or of a
  /// `microBatch`.
  static func critic(_ c: Architecture, _ plan: MemoryPlan, length: Int) -> Int {
    let group = min(plan.updated, plan.microBatch ?? .max)
    var training = TrainingSize(c, plan, sequences: group, length: length)
    (training.hasHead, training.isFrozen) = (false, false)
    return training.peak(gradients: c.countBelowHead * 4, isGrouped: group < plan.updated)
  }

  /// Bytes that one layer keeps for backward().
  private var layer: Int {
    let c = configuration
    let (queries, keys) = (c.headCount * c.headSize, c.keyValueHeadCount * c.headSize)
    let attention = 2 * queries + 2 * keys + c.headCount
    // Inputs of the two norms and of the projections behind them, and what the norms divided by.
    let residual = 4 * c.hiddenSize + 2 * c.norm.savedStatistics
    let norms = c.queryKeyNorm == .none ? 0 : queries + keys + c.headCount + c.keyValueHeadCount
    let feedForward = c.feedForward.savedRows * c.intermediateSize
    return (attention + residual + norms + feedForward) * tokens * 4
  }

  /// What the last layer keeps less: behind its attention there are only the rows before asked
  /// tokens.
  private var spared: Int {
    let c = configuration
    let feedForward = 2 * c.hiddenSize + c.feedForward.savedRows * c.intermediateSize
    return ((tokens - asked) * feedForward - asked * c.headCount * c.headSize) * 4
  }

  /// Bytes kept by the final norm and the head.
  private var last: Int { (2 * configuration.hiddenSize + 1) * asked * 4 }

  var activations: Int { configuration.layerCount * layer - spared + last }

  /// The head's part of backward(): a chunk of logits, packed with the hidden states; gradients of
  /// the hidden states.
  private var head: Int {
    let c = configuration
    guard hasHead else { return asked * c.hiddenSize * 4 }
    let rows = c.logitRows(asked)
    let packed = isFrozen ? 0 : c.layout.head.packedFactorsCount(rows: rows)
    return (rows * (c.vocabularySize + 2 * c.hiddenSize) + packed + asked * c.hiddenSize) * 4
  }

  /// A layer's part of backward(): gradients of what is inside the feed-forward part and of the
  /// residual stream.
  private var inside: Int {
    let c = configuration
    let matrices = isFrozen ? [] : c.layout.block.linears
    let packed = matrices.map { $0.packedFactorsCount(rows: tokens) }.max() ?? 0
    return (tokens * (3 * c.hiddenSize + 2 * c.intermediateSize) + packed) * 4
  }

  /// All that is allocated if nothing is freed.
  func sum(gradients: Int) -> Int { gradients + activations + max(head, inside) }

  /// The most at a time. Gradients are made as backward() reaches the weights, while it frees what
  /// the layers kept; in all groups but the first they are there from the start. The optimizer
  /// needs them all.
  func peak(gradients: Int, isGrouped: Bool) -> Int {
    if isGrouped { return gradients + activations + max(head, inside) }
    let weights = max(1, configuration.parameterCount)
    let ofHead = Int(
      Double(gradients) * Double(configuration.layout.head.count) / Double(weights))
    return max(gradients + layer + inside, ofHead + activations + max(head, inside - last))
  }
}
