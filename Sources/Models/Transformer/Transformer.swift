import Core
import Kernels
import Tensors

// A decoder-only transformer, written once for training and for decoding, and for all families.
//
// Left out: dropout (0 in these models' fine-tuning) and padding (batches are ragged). Parameter
// names are the checkpoint's.

/// A language model: its configuration, its weights, and the computation of hidden states.
public final class Transformer: @unchecked Sendable {
  /// Sizes and constants, as in config.json.
  public let configuration: ModelConfiguration
  /// All weights with their checkpoint names, in the checkpoint's order; a tied head is not listed
  /// twice.
  public let weights: [(name: String, weight: Weight)]
  /// The dtype that keys and values are rounded to, with a cache or without.
  public let keyValueType: ScalarType
  /// The LoRA adapter; with one, the weights are frozen.
  public let adapter: LoRA?
  /// The modules that it is built of, with the names and shapes of their weights.
  let layout: ModelLayout
  /// The weights of all matrix products: the layers' linear maps and the output layer.
  private let factors: [Weight]
  private let embedTokens: Weight  // [V, C]
  /// A vector for each position, where positions are learned: [P, C].
  private let embedPositions: Weight?
  private let layers: [DecoderLayer]
  private let norm: any Norm
  /// The output layer [V, C]; the embedding itself when the two are tied.
  public let lmHead: Weight
  /// Heads and sliding window of every layer's attention.
  private let attentionShapes: [AttentionShape]

  /// Builds the model from weights delivered by `weight`, which is asked for every name and shape
  /// in the order of files.
  ///
  /// `prefix` is what the names begin with, by default as Hugging Face writes them: `model.` or
  /// `transformer.`.
  public convenience init(
    _ configuration: ModelConfiguration, keyValues: ScalarType = .float32,
    prefix: String? = nil, adapter: LoRA? = nil,
    weight: (_ name: String, _ shape: [Int]) throws -> Tensor
  ) throws {
    let layout = ModelLayout(configuration.architecture, prefix: prefix)
    try self.init(configuration, layout, keyValues: keyValues, adapter: adapter) {
      .float32(try weight($0.name, $0.shape), isTransposed: $0.use.isTransposed)
    }
  }

  /// Builds the model of a layout from weights of either kind, asked for in the order of files.
  init(
    _ configuration: ModelConfiguration, _ layout: ModelLayout, keyValues: ScalarType,
    adapter: LoRA?, weight: (WeightShape) throws -> Weight
  ) throws {
    let a = configuration.architecture
    self.configuration = configuration
    self.layout = layout
    self.adapter = adapter
    keyValueType = keyValues
    weights = try layout.weights.map { ($0.name, try weight($0)) }
    let made = ModelWeights(weights, adapter: adapter)
    embedTokens = made[layout.embedTokens]
    embedPositions = layout.embedPositions.map { made[$0] }
    let rotary = a.rotaryTable
    layers = try zip(layout.blocks, a.layers).map {
      try DecoderLayer($0, a, $1.usesRotary ? rotary : nil, made)
    }
    norm = try makeNorm(layout.norm, made)
    lmHead = layout.tiesEmbeddings ? embedTokens : made[layout.head.weight]
    factors = layout.linears.map { made[$0.weight] } + [lmHead]
    attentionShapes = a.layers.map {
      AttentionShape(
        heads: a.headCount, keyValueHeads: a.keyValueHeadCount, size: a.headSize,
        window: $0.window ?? .max, scale: $0.scoreScale)
    }
  }

  /// Hidden states after the final norm for all tokens of a ragged batch: [N, C], or for the rows
  /// `outputRows` only, which ascend.
  ///
  /// Other rows are computed only as far as the last layer's keys and values need them. With a
  /// cache, the batch holds the tokens that follow what the cache has seen; their keys and values
  /// are added to it. Ids and lengths are not checked again: callers have compared them with
  /// vocabulary and context. Throws when interrupted.
  public func hiddenStates(
    _ tokens: [Int], _ batch: RaggedBatch, outputRows: [Int]? = nil, cache: CacheBatch? = nil
  )
    throws -> Tensor
  {
    let positions = batch.positions
    var x = try Tensor.embedding(tokens, embedTokens)  // [N, C]
    if let embedPositions { x = try x + .embedding(positions, embedPositions) }
    for (index, layer) in layers.enumerated() {
      try Interrupt.check()
      let shape = attentionShapes[index]
      let dropsRows = index == layers.count - 1 && outputRows?.count != tokens.count
      x = try layer.attention(x, positions: positions, outputRows: dropsRows ? outputRows : nil) {
        q, k, v in
        guard let cache else {
          return try .attention(
            q, k.rounded(to: keyValueType), v.rounded(to: keyValueType), batch: batch, shape: shape)
        }
        return try cache.attention(q, k, v, layer: index, batch: batch, shape: shape)
      }
      x = try layer.feedForward(x)
    }
    return try norm(x)
  }

  /// Logits of the next token after every token of one sequence: [T, V].
  public func logits(_ ids: [Int]) throws -> Tensor {
    if ids.isEmpty { throw ModelError.ids(.empty) }
    if let fault = tooLong(ids.count) ?? unknownToken(in: ids) { throw ModelError.ids(fault) }
    return try .linear(hiddenStates(ids, RaggedBatch(lengths: [ids.count])), lmHead)
  }

  /// The first id that is not in the vocabulary.
  func unknownToken(in ids: [Int]) -> ModelError.SequenceFault? {
    let vocabulary = configuration.vocabularySize
    return ids.firstIndex { $0 < 0 || $0 >= vocabulary }.map {
      .unknownToken(ids[$0], position: $0, vocabulary: vocabulary)
    }
  }

  /// The error for a sequence of more tokens than the model has positions; nil if it fits.
  func tooLong(_ count: Int) -> ModelError.SequenceFault? {
    let context = configuration.maxPositions
    return count <= context
      ? nil : .tooLong(count, context: context, setting: configuration.contextKey)
  }

  /// The weights that are float32 tensors, then the adapter's.
  public var parameters: [(name: String, tensor: Tensor)] {
    ownTensors + (adapter?.parameters ?? [])
  }

  /// All weights, or the vectors only where matrices are held as bfloat16.
  private var ownTensors: [(name: String, tensor: Tensor)] {
    weights.compactMap { name, weight in weight.tensor.map { (name, $0) } }
  }

  /// The weights that are trained: the adapter's where there is one, else all.
  public var trainedParameters: [(name: String, tensor: Tensor)] {
    adapter?.parameters ?? ownTensors
  }

  /// All weights and the adapter's.
  public var allWeights: [(name: String, weight: Weight)] { weights + adapterWeights }

  /// What scripts see as the model's parameters: the adapter's weights where there is one, else
  /// all.
  public var listedWeights: [(name: String, weight: Weight)] {
    adapter == nil ? weights : adapterWeights
  }

  private var adapterWeights: [(name: String, weight: Weight)] {
    adapter?.parameters.map { ($0.name, .float32($0.tensor)) } ?? []
  }

  /// Makes the trained weights collect gradients, or freezes all of them (a reference policy).
  ///
  /// Throws where trained weights are bfloat16 matrices, which collect no gradients.
  public func setTrainable(_ trainable: Bool) throws {
    if trainable { try checkTrainable(for: "training") }
    for (_, tensor) in trainable ? trainedParameters : parameters {
      try tensor.setRequiresGradient(trainable)
    }
  }

  /// Packs the weights of all matrix products, for sampling (see `Weight.pack`). Throws where
  /// memory is short.
  func packWeights() throws(TensorError) {
    for weight in factors { try weight.pack() }
    for update in adapter?.updates ?? [] { try update.factors.pack() }
  }

  /// A model of the same configuration, with weights derived from these and another adapter.
  func rebuilt(
    adapter: LoRA?, weight: (Weight, WeightShape) throws -> Weight = { weight, _ in weight }
  ) throws -> Transformer {
    var source = weights.makeIterator()
    return try Transformer(configuration, layout, keyValues: keyValueType, adapter: adapter) {
      shape in
      // Both lists are those of the layout.
      guard let next = source.next() else { preconditionFailure("\(shape.name)") }
      return try weight(next.weight, shape)
    }
  }

  /// Total number of weights.
  public var parameterCount: Int { allWeights.reduce(0) { $0 + $1.weight.count } }
}

extension Architecture {
  /// The angles of rotary positions, one table for all layers; nil where positions are learned.
  fileprivate var rotaryTable: RotaryTable? {
    guard case .rotary(let theta, let scaling) = positions else { return nil }
    return RotaryTable(
      frequencies: scaling.frequencies(size: headSize, theta: theta),
      scale: scaling.attentionFactor)
  }
}
