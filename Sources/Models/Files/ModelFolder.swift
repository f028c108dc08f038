// The files of a Hugging Face model folder beside its weights.

import Glibc

/// Saves what surrounds a model's weights.
public enum ModelFolder {
  /// Files that a saved model takes over byte for byte from the folder it was loaded from.
  public static let companions = [
    "tokenizer.json", "tokenizer_config.json", "generation_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
    "tokenizer.model", "chat_template.jinja", "chat_template.json",
  ]

  /// The companion files of a folder; kept in memory, so that a model can be saved after the folder
  /// it came from is gone.
  public static func readCompanions(_ folder: String) throws -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for name in companions where fileExists("\(folder)/\(name)") {
      result[name] = try InputFile("\(folder)/\(name)").withBytes { Array($0) }
    }
    return result
  }

  /// Throws where a folder holds an adapter and no model.
  public static func checkIsModel(_ folder: String) throws {
    guard fileExists("\(folder)/adapter_config.json"), !fileExists("\(folder)/config.json") else {
      return
    }
    throw FileError(
      folder, "holds an adapter and no model: load its base model, then model:load_adapter(folder)")
  }

  /// Whether a path names the file of a tokenizer, under any name, and not a folder with one.
  public static func isTokenizerFile(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return path.hasSuffix(".json") }
    return status.st_mode & S_IFMT != S_IFDIR
  }

  /// The companion files that a tokenizer consists of, from a model folder or from a tokenizer.json
  /// and what lies beside it.
  public static func readTokenizerFiles(_ path: String) throws -> [String: [UInt8]] {
    let isFile = isTokenizerFile(path)
    let parent = path.lastIndex(of: "/").map { path[..<$0] + "/." } ?? "."
    var files = try readCompanions(isFile ? String(parent) : path)
    files["generation_config.json"] = nil
    if isFile { files["tokenizer.json"] = try InputFile(path).withBytes { Array($0) } }
    return files
  }

  /// Throws where the file that comes last into a folder is missing and others are there: a save was interrupted.
  static func checkIsComplete(_ folder: String, last name: String) throws {
    guard !fileExists("\(folder)/\(name)"),
      let entries = try? folderEntries(folder),
      entries.contains(where: { $0.contains(".safetensors") || $0.hasSuffix(".tmp") })
    else { return }
    throw FileError(
      "\(folder)/\(name)",
      "is missing, though there are weights: the folder is incomplete, as after a save that was "
        + "interrupted; save or copy it again")
  }

  /// Stages weights, companion files and config.json; `commit` then replaces the model in the folder.
  static func update(
    _ configuration: ModelConfiguration, _ weights: [Safetensors.Item],
    companions: [String: [UInt8]], type: SafetensorsType, maxShardSize: Int = .max,
    to folder: String
  ) throws -> FolderUpdate {
    let update = try FolderUpdate(folder, last: "config.json")
    try Safetensors.write(weights, to: update, type: type, maxShardSize: maxShardSize)
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
