import Core
import Tensors

// LoRA (Hu et al., arXiv 2106.09685): linear maps y = x Wᵀ of a frozen model become y = x Wᵀ + s (x
// Aᵀ) Bᵀ. Names and initial values are PEFT's.

/// The factors that an adapter adds to the linear maps of a model.
public final class LoRA: Sendable {
  /// Its settings.
  public let configuration: LoRAConfiguration
  /// The factors of one map.
  struct Update: Sendable {
    let map: LinearShape
    let factors: LowRankUpdate
    /// What the names of its tensors begin with, as PEFT writes them.
    let name: String
  }
  /// In the order of the model.
  let updates: [Update]
  private let places: [String: Int]

  /// Asks `weight` for the factors of every map of a model that the configuration names.
  ///
  /// Throws where the configuration names none, or something that an adapter cannot add to.
  init(
    _ configuration: LoRAConfiguration, for model: ModelLayout, source: String,
    weight: (_ name: String, _ shape: [Int]) throws -> Tensor
  ) throws {
    self.configuration = configuration
    let targets = try Self.targets(configuration, model, source)
    updates = try targets.map { map, name in
      let (rank, scale) = configuration.rankAndScale(name)
      let stem = "base_model.model.\(name)"
      return try Update(
        map: map,
        factors: LowRankUpdate(
          a: weight("\(stem).lora_A.weight", [rank, map.inputs]),
          b: weight("\(stem).lora_B.weight", [map.outputs, rank]), scale: scale),
        name: stem)
    }
    places = Dictionary(
      updates.enumerated().map { ($1.map.name, $0) }, uniquingKeysWith: { first, _ in first }
    )
  }

  private init(copying other: LoRA) throws {
    configuration = other.configuration
    places = other.places
    updates = try other.updates.map {
      let factors = try LowRankUpdate(
        a: $0.factors.a.copied(), b: $0.factors.b.copied(), scale: $0.factors.scale)
      return Update(map: $0.map, factors: factors, name: $0.name)
    }
  }

  /// The maps that are adapted, with the names that Hugging Face's classes give them.
  private static func targets(
    _ configuration: LoRAConfiguration, _ model: ModelLayout, _ source: String
  ) throws -> [(map: LinearShape, name: String)] {
    let named = model.linears.map { ($0, model.className(of: $0)) }
    let others = (model.tables + model.head.weights).map {
      lastPart($0.name.dropLast(".weight".count))
    }
    for target in configuration.targets ?? [] {
      if others.contains(lastPart(target)) {
        throw FileError(
          source,
          "field 'target_modules': '\(target)' is no linear map of a layer; adapters of "
            + "embeddings and of the output layer are not supported")
      }
    }
    let chosen = named.filter { configuration.isTarget($0.1) }
    guard !chosen.isEmpty else {
      throw FileError(
        source,
        "field 'target_modules' names no linear map of this model (it has "
          + "\(Self.kinds(model).joined(separator: ", ")))")
    }
    return chosen
  }

  /// The last parts of the names of a model's maps, each once.
  static func kinds(_ model: ModelLayout) -> [String] {
    Set(model.linears.map { lastPart($0.name) }).sorted()
  }

  private static func lastPart(_ name: some StringProtocol) -> String {
    name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? String(name)
  }

  /// The factors added to a map; nil where it is not adapted.
  func update(of map: LinearShape) -> LowRankUpdate? {
    places[map.name].map { updates[$0].factors }
  }

  /// The factors under PEFT's names, in the order of the model.
  public var parameters: [(name: String, tensor: Tensor)] {
    updates.flatMap {
      [("\($0.name).lora_A.weight", $0.factors.a), ("\($0.name).lora_B.weight", $0.factors.b)]
    }
  }

  /// An adapter with copies of the factors.
  func copied() throws -> LoRA { try LoRA(copying: self) }
}
