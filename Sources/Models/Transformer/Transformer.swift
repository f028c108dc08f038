import Kernels
import Tensors

// A decoder-only transformer, written once for training and for decoding; the blocks of the families are its layers.
//
// Left out: dropout (0 in these models' fine-tuning) and padding (batches are ragged). Parameter names are the checkpoint's.

/// A language model: its configuration, its weights, and the computation of hidden states.
public final class Transformer: @unchecked Sendable {
  /// Sizes and constants, as in config.json.
  public let configuration: ModelConfiguration
  /// All weights with their checkpoint names, in the checkpoint's order; a tied head is not listed twice.
  public let parameters: [(name: String, tensor: Tensor)]
  /// What the names of all weights but the head's begin with.
  let prefix: String
  let parts: TransformerParts
  /// The output layer [V, C]; the embedding itself when the two are tied.
  public let lmHead: Tensor
  /// Heads and sliding window of every layer's attention.
  let attentionShapes: [AttentionShape]

  /// Builds the model from weights delivered by `weight`, which is asked for every name and shape in order.
  ///
  /// `prefix` is what the names begin with, by default as Hugging Face writes them: `model.` or `transformer.`.
  public init(
    _ configuration: ModelConfiguration, prefix: String? = nil,
    weight: (_ name: String, _ shape: [Int]) throws -> Tensor
  ) throws {
    let c = configuration
    var named: [(name: String, tensor: Tensor)] = []
    func parameter(_ name: String, _ shape: [Int]) throws -> Tensor {
      let tensor = try weight(name, shape)
      named.append((name, tensor))
      return tensor
    }
    self.configuration = c
    self.prefix = prefix ?? c.architecture.prefix
    parts = try TransformerParts(c, prefix: self.prefix, parameter)
    lmHead =
      c.tiesEmbeddings
      ? parts.embedTokens : try parameter("lm_head.weight", [c.vocabularySize, c.hiddenSize])
    parameters = named
    attentionShapes = c.windows.map {
      AttentionShape(
        heads: c.headCount, keyValueHeads: c.keyValueHeadCount, size: c.headSize,
        window: $0 ?? .max)
    }
  }

  /// Hidden states after the final norm for all tokens of a ragged batch: [N, C].
  ///
  /// With a cache, the batch holds the tokens that follow what the cache has seen; their keys and values are added to it.
  /// Throws on token ids outside of the vocabulary, on sequences longer than the context, and when interrupted.
  public func hiddenStates(_ tokens: [Int], _ batch: RaggedBatch, cache: CacheBatch? = nil) throws
    -> Tensor
  {
    let positions = batch.positions
    if let longest = positions.max(), longest >= configuration.maxPositions {
      throw tooLong(longest + 1)
    }
    var x = try Tensor.embedding(tokens, parts.embedTokens)  // [N, C]
    if let learned = parts.embedPositions { x = try x + .embedding(positions, learned) }
    for (index, layer) in parts.layers.enumerated() {
      try Interrupt.check()
      let shape = attentionShapes[index]
      let attended = try layer.attention(x, positions: positions) { q, k, v in
        guard let cache else {
          return try .attention(q, k, v, batch: batch, shape: shape)
        }
        let (segments, bounds) = cache.store(k, v, layer: index)
        return try .attention(q, batch: batch, shape: shape, segments: segments, bounds: bounds)
      }
      x = try x + attended
      x = try x + layer.feedForward(x)
    }
    return try parts.norm(x)
  }

  /// Logits of the next token after every token of one sequence: [T, V].
  public func logits(_ ids: [Int]) throws -> Tensor {
    guard !ids.isEmpty else { throw TensorError("logits: at least one token id expected") }
    guard ids.count <= configuration.maxPositions else {
      throw TensorError("logits: \(tooLong(ids.count))")
    }
    return try .linear(hiddenStates(ids, RaggedBatch(lengths: [ids.count])), lmHead)
  }

  /// The error about a sequence of more tokens than the model has positions.
  func tooLong(_ count: Int) -> TensorError {
    TensorError(
      "the sequence has \(count) tokens and the model's context is "
        + "\(configuration.maxPositions) (\(configuration.architecture.keys.context))")
  }

  /// Makes all weights collect gradients, or none (a frozen reference policy).
  public func setTrainable(_ trainable: Bool) throws {
    for (_, tensor) in parameters { try tensor.setRequiresGradient(trainable) }
  }

  /// A model with copies of all weights, trainable.
  public func clone() throws -> Transformer {
    var source = parameters.makeIterator()
    let copy = try Transformer(configuration, prefix: prefix) { _, shape in
      source.next()?.tensor.copied() ?? Tensor(zeros: shape)
    }
    try copy.setTrainable(true)
    return copy
  }

  /// Total number of weights.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }
}
