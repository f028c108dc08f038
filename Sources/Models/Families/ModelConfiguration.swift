import Core
import Text

// A model as its folder describes it, from a Hugging Face config.json or from a table with the same
// keys. What the transformer here cannot compute is refused by name: a model that runs with a wrong
// formula is worse than one that does not run (ConfigReader+Unread.swift).

/// A model's architecture, its special tokens, and every key of its config.json.
///
/// Sizes and choices of `architecture` can be read as members of the configuration.
@dynamicMemberLookup
public struct ModelConfiguration: Sendable, Equatable {
  /// The family, as `llama` or `qwen3`.
  public let modelType: String
  /// What the model computes.
  public let architecture: Architecture
  /// Standard deviation for new weights.
  public let initializerRange: Double
  /// The token a text begins with.
  public let bosID: Int?
  /// Tokens that end a text; a generation_config.json overrides config.json.
  public let eosIDs: [Int]
  /// Number format of the stored weights: `float32`, `bfloat16` or `float16`.
  public let dataType: String
  /// Every key that was read, known or not.
  public let original: JSON

  /// Reads `config.json`, and `generation_config.json` if there, of a model folder.
  public init(folder: String) throws {
    try ModelFolder.checkIsComplete(folder, last: "config.json")
    let generation = "\(folder)/generation_config.json"
    try self.init(
      JSONFields(file: "\(folder)/config.json"),
      generation: fileExists(generation) ? JSONFields(file: generation) : nil)
  }

  /// Takes the keys of a config.json from a value; `source` is its name in error texts.
  public init(_ value: JSON, source: String) throws {
    try self.init(JSONFields(value, file: source), generation: nil)
  }

  /// Takes the fields of config.json and generation_config.json.
  package init(_ fields: JSONFields, generation: JSONFields?) throws {
    let family = try ModelFamily.named(in: fields)
    let reader = ConfigReader(fields)
    architecture = try family.architecture(reader)
    try reader.checkUnread(architecture)
    modelType = family.modelType
    initializerRange = try fields.positive("initializer_range", default: 0.02)
    let vocabulary = architecture.vocabularySize
    func ids(_ key: String) throws -> [Int] {
      let own = try fields.tokenIDs(key, below: vocabulary)
      let others = try generation?.tokenIDs(key, below: vocabulary) ?? []
      return others.isEmpty ? own : others
    }
    bosID = try ids("bos_token_id").first
    eosIDs = try ids("eos_token_id")
    dataType = try fields.dataType()
    original = fields.value
  }

  /// A size or choice of the architecture.
  public subscript<Value>(dynamicMember path: KeyPath<Architecture, Value>) -> Value {
    architecture[keyPath: path]
  }

  /// The configuration as a config.json with the weights' number format put in; other keys as read.
  public func json(dataType: String) -> JSON {
    var result = original
    let keys = ["torch_dtype", "dtype"].filter { original[$0] != nil }
    for key in keys.isEmpty ? ["torch_dtype"] : keys { result.set(key, .string(dataType)) }
    return result
  }
}

extension JSONFields {
  /// One id or a list of them; empty when missing.
  fileprivate func tokenIDs(_ key: String, below limit: Int) throws -> [Int] {
    guard let value = self[key] else { return [] }
    let list = if case .array(let list) = value { list } else { [value] }
    return try list.map {
      guard case .integer(let id) = $0, (0..<limit).contains(id) else {
        throw error(
          key, "must be a token id below \(limit) or a list of them, got \(value.excerpt)")
      }
      return id
    }
  }

  fileprivate func dataType() throws -> String {
    let key = self["dtype"] == nil ? "torch_dtype" : "dtype"
    let known = ["bfloat16", "float16", "float32"]
    let type = try string(key, default: "float32")
    guard known.contains(type) else {
      throw error(key, "'\(type)' is not supported (supported: \(known.joined(separator: ", ")))")
    }
    return type
  }
}
