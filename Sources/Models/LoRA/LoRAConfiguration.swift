// The settings of a LoRA adapter (Hu et al., arXiv 2106.09685) under the names of PEFT's
// LoraConfig, from an adapter_config.json or from a value with the same keys. What would need
// another formula is refused by name (LoRAConfiguration+Support.swift). Dropout is 0 whatever the
// file says, as in the models themselves.

import Text

/// Which linear maps an adapter adds to, with which rank and scale.
public struct LoRAConfiguration: Sendable, Equatable {
  /// Rank r of the factors.
  public let rank: Int
  /// The numerator α of the scale.
  public let alpha: Double
  /// Names of linear maps, or dotted suffixes of them; nil stands for all linear maps of the
  /// layers.
  public let targets: [String]?
  /// Whether the scale is α / √r (arXiv 2312.03732) instead of α / r.
  public let usesRankStabilizedScale: Bool
  /// Ranks by the end of a map's name; the first match counts.
  public let rankPattern: [(name: String, rank: Int)]
  /// Numerators by the end of a map's name; the first match counts.
  public let alphaPattern: [(name: String, alpha: Double)]
  /// Every key that was read.
  public let original: JSON

  /// The greatest rank.
  static let largestRank = 1 << 16

  /// Reads the `adapter_config.json` of a folder; `architecture` is that of the base model.
  public init(folder: String, _ architecture: Architecture) throws {
    try self.init(JSONFields(file: "\(folder)/adapter_config.json"), architecture)
  }

  /// Takes the keys of an adapter_config.json from a value; `source` is its name in error texts.
  public init(_ value: JSON, source: String, _ architecture: Architecture) throws {
    try self.init(JSONFields(value, file: source), architecture)
  }

  private init(_ fields: JSONFields, _ architecture: Architecture) throws {
    try Self.checkSupport(fields)
    rank = try fields.integer("r", in: 1...Self.largestRank, default: 8)
    alpha = try Self.alpha(fields, "lora_alpha", default: 8)
    targets = try Self.targets(fields, architecture)
    usesRankStabilizedScale = try fields.bool("use_rslora", default: false)
    rankPattern = try Self.pattern(fields, "rank_pattern") {
      try $0.integer($1, in: 1...Self.largestRank)
    }
    alphaPattern = try Self.pattern(fields, "alpha_pattern") { try Self.alpha($0, $1) }
    original = fields.value
  }

  /// Whether the adapter adds to the map of a name.
  func isTarget(_ name: String) -> Bool {
    targets?.contains { Self.isEnd($0, of: name) } ?? true
  }

  /// Rank and scale for the map of a name.
  func rankAndScale(_ name: String) -> (rank: Int, scale: Float) {
    let rank = rankPattern.first { Self.isEnd($0.name, of: name) }?.rank ?? rank
    let alpha = alphaPattern.first { Self.isEnd($0.name, of: name) }?.alpha ?? alpha
    let divisor = usesRankStabilizedScale ? Double(rank).squareRoot() : Double(rank)
    return (rank, Float(alpha / divisor))
  }

  /// Entries of `target_modules`, `rank_pattern` and `alpha_pattern` that match none of the given
  /// names.
  func unmatched(_ names: [String]) -> [(field: String, entry: String)] {
    let entries =
      (targets ?? []).map { ("target_modules", $0) } + rankPattern.map { ("rank_pattern", $0.name) }
      + alphaPattern.map { ("alpha_pattern", $0.name) }
    return entries.filter { entry in !names.contains { Self.isEnd(entry.1, of: $0) } }
  }

  private static func isEnd(_ end: String, of name: String) -> Bool {
    name == end || name.hasSuffix("." + end)
  }

  /// The configuration as PEFT reads it; keys that were read stay as they are.
  func json(base: String?, isTransposed: Bool) -> JSON {
    var result = original
    func complete(_ key: String, _ value: JSON) {
      if result[key] ?? .null == .null { result.set(key, value) }
    }
    complete("peft_type", .string("LORA"))
    complete("task_type", .string("CAUSAL_LM"))
    complete("r", .integer(rank))
    complete("lora_alpha", .double(alpha))
    complete(
      "target_modules", targets.map { .array($0.map { .string($0) }) } ?? .string("all-linear"))
    complete("base_model_name_or_path", base.map { .string($0) } ?? .null)
    complete("bias", .string("none"))
    complete("lora_dropout", .double(0))
    complete("init_lora_weights", .bool(true))
    result.set("fan_in_fan_out", .bool(isTransposed))
    result.set("inference_mode", .bool(true))
    return result
  }

  /// Equal where what was read is equal.
  public static func == (a: Self, b: Self) -> Bool { a.original == b.original }
}
