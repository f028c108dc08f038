import Core
import Text

// The kinds of models that can be computed. Each has a file of its own in this folder, which says
// what its config.json means; docs/adding-a-family.md shows how one is added.

/// What a `model_type` stands for.
struct ModelFamily: Sendable {
  /// The `model_type` of its config.json.
  let modelType: String
  /// Its class in Hugging Face's transformers.
  let className: String
  /// What a config.json of the family describes.
  let architecture: @Sendable (ConfigReader) throws -> Architecture

  init(
    _ modelType: String, className: String,
    architecture: @escaping @Sendable (ConfigReader) throws -> Architecture
  ) {
    (self.modelType, self.className, self.architecture) = (modelType, className, architecture)
  }

  /// Every supported family.
  static let all: [ModelFamily] = [gpt2, llama, mistral, olmo2, qwen2, qwen3, smollm3]

  /// The family of a `model_type`.
  static func named(_ type: String) -> ModelFamily? {
    all.first { $0.modelType.hasSameBytes(as: type) }
  }

  /// The family a config.json names; throws on one that is not supported.
  static func named(in fields: JSONFields) throws -> ModelFamily {
    let type = try fields.string("model_type")
    guard let family = named(type) else {
      let known = all.map(\.modelType).sorted().joined(separator: ", ")
      throw fields.error("model_type", "'\(type)' is not supported (supported: \(known))")
    }
    return family
  }
}

extension ModelConfiguration {
  /// The class that Hugging Face's transformers loads a model of this type with, nil where the type
  /// is not supported.
  public static func className(_ modelType: String) -> String? {
    ModelFamily.named(modelType)?.className
  }
}
