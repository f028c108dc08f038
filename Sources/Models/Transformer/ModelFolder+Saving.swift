import Core
import Text

// The files of a saved model, which replace those of another in its folder as a whole.

extension ModelFolder {
  /// Notes the templates of a model that was in the folder before: they would be taken for this
  /// one's.
  private static func removeTemplates(
    besides companions: [String: [UInt8]], in update: FolderUpdate
  ) throws {
    guard companions["tokenizer.json"] != nil, fileExists(update.folder) else { return }
    let old = try companionNames(update.folder).filter {
      $0.hasPrefix("chat_template.") || $0.hasPrefix("\(ChatTemplates.folder)/")
    }
    try update.remove(old.filter { companions[$0] == nil })
  }

  /// Stages weights, companion files and config.json; `commit` then replaces the model in the
  /// folder.
  static func update(
    _ configuration: ModelConfiguration, _ weights: [Safetensors.Item],
    companions: [String: [UInt8]], type: SafetensorsType, maxShardSize: Int = .max,
    to folder: String
  ) throws -> FolderUpdate {
    let update = try FolderUpdate(folder, last: "config.json")
    try Safetensors.write(weights, to: update, type: type, maxShardSize: maxShardSize)
    try removeTemplates(besides: companions, in: update)
    for (name, bytes) in companions.sorted(by: { $0.key < $1.key }) {
      try update.write(name, bytes)
    }
    let text = try configuration.json(dataType: type.configurationName).text(pretty: true)
    try update.write("config.json", text + "\n")
    return update
  }
}

extension SafetensorsType {
  /// What config.json calls a format that is written.
  fileprivate var configurationName: String {
    switch self {
    case .bfloat16: "bfloat16"
    case .float16: "float16"
    default: "float32"
    }
  }
}
