import Tensors
import Text

// A critic: a transformer with a scalar head, which gives each token the value of the state after
// it.
//
// Files are those of Hugging Face's …ForSequenceClassification with one label: the head is
// `score.weight` [1, C], as in TRL's value models. A `score.bias` [1], which
// …ForTokenClassification and verl have, is kept where a file holds one.

/// A transformer with a value head.
public final class ValueModel: Sendable {
  /// The transformer below the value head. It has no output layer of its own: the configuration
  /// says it is tied.
  public let transformer: Transformer
  /// The head [1, C].
  let score: Tensor
  /// Added to every value [1].
  let bias: Tensor?

  private init(_ transformer: Transformer, score: Tensor, bias: Tensor?) throws {
    (self.transformer, self.score, self.bias) = (transformer, score, bias)
    try setTrainable(true)
  }

  /// All weights with their checkpoint names: the transformer's, then the head's.
  public var parameters: [(name: String, tensor: Tensor)] {
    transformer.parameters + [("score.weight", score)] + (bias.map { [("score.bias", $0)] } ?? [])
  }

  /// Total number of weights.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }

  /// A hash of all weights, stable across runs and machines.
  public var checksum: UInt64 {
    get throws {
      try (score.values + (bias?.values ?? [])).reduce(transformer.checksum) {
        ($0 ^ UInt64($1.bitPattern)) &* 0xD6E8_FEB8_6659_FD93
      }
    }
  }

  /// Makes all weights collect gradients, or none.
  public func setTrainable(_ trainable: Bool) throws {
    for (_, tensor) in parameters { try tensor.setRequiresGradient(trainable) }
  }

  /// A critic with copies of a language model's weights, its adapter left out, and a head of zeros:
  /// all values are 0 at first.
  public convenience init(of model: Transformer) throws {
    guard model.weights.allSatisfy({ $0.weight.tensor != nil }) else {
      throw ModelError.notTrainable(operation: "load_value_model")
    }
    let weights = Dictionary(
      uniqueKeysWithValues: model.weights.map { ($0.name, $0.weight.tensor) })
    let copy = try Transformer(model.configuration.tied(), prefix: model.layout.prefix) {
      name, shape in
      try weights[name]??.copied() ?? Tensor.zeroResult(shape, for: "load_value_model")
    }
    let width = model.configuration.hiddenSize
    try self.init(copy, score: .zeroResult([1, width], for: "load_value_model"), bias: nil)
  }

  /// Reads a folder of a critic, or of a language model, which gets a head of zeros.
  ///
  /// Throws a `FileError` that names file and tensor on missing, extra or wrongly shaped weights.
  public convenience init(folder: String) throws {
    let configuration = try ModelConfiguration(folder: folder).tied()
    let file = try Safetensors(folder: folder)
    let layout = configuration.architecture.layout(in: file)
    let width = configuration.architecture.hiddenSize
    let (weight, offset) = (
      WeightShape(name: "score.weight", shape: [1, width], use: .matrix),
      WeightShape(name: "score.bias", shape: [1], use: .bias)
    )
    let head = [weight, offset].filter { file.contains($0.name) }
    try file.check(layout.weights + head, layout)
    func read(_ shape: WeightShape) throws -> Tensor {
      try file.tensor(shape.name, shape.shape, for: "load_value_model")
    }
    let transformer = try Transformer(configuration, layout, keyValues: .float32, adapter: nil) {
      .float32(try read($0), isTransposed: $0.use.isTransposed)
    }
    let score =
      try head.contains(weight)
      ? read(weight) : .zeroResult(weight.shape, for: "load_value_model")
    let bias = try head.contains(offset) ? read(offset) : nil
    try self.init(transformer, score: score, bias: bias)
  }

  /// The value before each completion token: [M]. The completions' tokens are concatenated.
  ///
  /// The value before token t is the head's number at token t - 1, of which the first is the
  /// prompt's last. `microBatch` is as in `Transformer.logProbabilities`.
  public func values(_ sequences: [TokenSequence], microBatch: Int? = nil) throws -> Tensor {
    try transformer.checkSequences(sequences, for: "values")
    let values = try transformer.scored(
      sequences, parameters, rows: 1, microBatch: microBatch, name: "values"
    ) { group in
      guard let (hidden, targets) = try self.transformer.completionStates(group) else {
        return Tensor(zeros: [1, 0])
      }
      return try .linear(hidden, self.score, bias: self.bias).reshape([1, targets.count])
    }
    return try values.select(0)
  }

  /// Writes a Hugging Face folder: the weights, config.json and the files that came with the model.
  public func save(folder: String, companions: [String: [UInt8]]) throws {
    let items = parameters.map { Safetensors.Item(name: $0.name, weight: .float32($0.tensor)) }
    try ModelFolder.update(
      transformer.configuration.classifying(hasBias: bias != nil), items, companions: companions,
      type: .float32, to: folder
    ).commit()
  }
}

extension ModelConfiguration {
  /// The same with tied embeddings, so that no output layer is made.
  fileprivate func tied() throws -> ModelConfiguration {
    var json = original
    json.set("tie_word_embeddings", .bool(true))
    return try ModelConfiguration(json, source: "config.json")
  }

  /// The same under the class name that reads a scalar head.
  fileprivate func classifying(hasBias: Bool) throws -> ModelConfiguration {
    var json = original
    let kind = hasBias ? "ForTokenClassification" : "ForSequenceClassification"
    if let name = ModelConfiguration.className(modelType) {
      let family = name.replacing(/LMHeadModel|ForCausalLM/, with: "")
      json.set("architectures", .array([.string(family + kind)]))
    }
    json.set("id2label", .object([JSON.Member("0", .string("LABEL_0"))]))
    json.set("label2id", .object([JSON.Member("LABEL_0", .integer(0))]))
    return try ModelConfiguration(json, source: "config.json")
  }
}
