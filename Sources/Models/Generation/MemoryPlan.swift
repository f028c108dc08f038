import Core
import Tensors

// What is to be estimated: which models, how many prompts and tokens, what is trained.

/// What is run with which models.
public struct MemoryPlan: Sendable {
  /// A model and what its matrices are held as.
  public typealias Held = (configuration: ModelConfiguration, type: ScalarType)

  /// The model that samples and is trained.
  public var policy: Held
  /// The model that the policy is kept near, where it has weights of its own.
  public var reference: Held?
  /// What the policy's cache holds.
  public var keyValueType = ScalarType.float32
  /// Weights of the policy, or of its adapter, that are trained; 0 where it only samples.
  public var trainedCount: Int
  /// Whether trained weights and moments are copied before the first update of each step.
  public var keepsSnapshot = false
  /// Weights of the policy's adapter; its own are frozen where there are any.
  public var adapterCount = 0
  /// Bytes of packed copies that the reference has: from sampling, as in stage 1.
  public var packedReference = 0
  /// Whether a frozen copy of the policy samples in its place.
  public var hasSampler = false
  /// A critic that is trained after the policy.
  public var critic: ModelConfiguration?
  /// Prompts of a step.
  public var batchSize = 1
  /// Completions per prompt.
  public var samples = 1
  /// Completions of an update; nil for all of a step.
  public var miniBatch: Int?
  /// Completions whose activations are held at a time; nil for all of an update, or what `isFresh`
  /// says.
  public var microBatch: Int?
  /// Whether the one update of a step is by completions as the policy sampled them:
  /// log-probabilities are the sampler's then, and activations exist for about `groupTokens` tokens
  /// at a time.
  public var isFresh = true
  /// Tokens of a prompt.
  public var promptTokens = 64
  /// Tokens of a completion.
  public var maxTokens = 16

  /// Completions of an update.
  var updated: Int { min(batchSize * samples, miniBatch ?? .max) }

  /// Whether the policy's own weights stay as they are.
  var isFrozen: Bool { adapterCount > 0 || trainedCount == 0 }

  /// Completions that are differentiated at a time; see `Transformer.logProbabilities`.
  public var group: Int {
    if let microBatch { return min(updated, microBatch) }
    guard isFresh, updated == batchSize * samples else { return updated }
    let groups = groupCount(tokens: updated * (promptTokens + maxTokens))
    return (updated + groups - 1) / groups
  }

  /// Throws where the bytes could be too many to be counted: an upper bound of every sum and
  /// product below is at 2^60 or above.
  func check() throws(MemoryPlanTooLarge) {
    // A page of the cache has places that are not used.
    let tokens =
      Double(batchSize) * Double(samples) * (Double(promptTokens) + Double(maxTokens) + 128)
    let models = [policy.configuration, reference?.configuration, critic].compactMap { $0 }
    let weights = models.reduce(0) { $0 + Double($1.parameterCount) }
    let width = models.reduce(0) { max($0, $1.mostFloats) }
    guard 64 * (weights + tokens * width) < 0x1p60 else {
      throw MemoryPlanTooLarge(plan: self, weights: Int(weights))
    }
  }

  /// A plan for the given models.
  public init(policy: Held, reference: Held?, trainedCount: Int) {
    self.policy = policy
    self.reference = reference
    self.trainedCount = trainedCount
  }
}

/// A plan whose bytes may be more than 2^60, with the weights of all its models.
public struct MemoryPlanTooLarge: Error {
  /// What was asked about.
  public let plan: MemoryPlan
  /// Weights of all models together.
  public let weights: Int
}

extension Architecture {
  /// More than a sixteenth of the floats that anything holds for a token.
  fileprivate var mostFloats: Double {
    let layer = hiddenSize + headCount * max(headSize, 32) + intermediateSize
    return Double(layerCount) * Double(layer) + Double(vocabularySize)
  }
}
