// The files of a Hugging Face model folder beside its weights.

import Core
import Glibc
import Text

/// The files of a model folder beside its weights.
public enum ModelFolder {
  /// Files that a saved model takes over byte for byte from the folder it was loaded from: what
  /// says how text becomes ids and messages become prompts, in this program or in others, and
  /// licences.
  static let companions: Set = [
    "tokenizer.json", "tokenizer_config.json", "generation_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt",
    "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tekken.json",
    "chat_template.jinja", "chat_template.json",
  ]

  private static func isCompanion(_ name: String) -> Bool {
    companions.contains(name) || name.hasPrefix("LICENSE") || name.hasPrefix("NOTICE")
  }

  /// The companion files of a folder; kept in memory, so that a model can be saved after the folder
  /// it came from is gone.
  public static func readCompanions(_ folder: String) throws -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for name in try companionNames(folder) {
      try checkLink("\(folder)/\(name)")
      result[name] = try InputFile("\(folder)/\(name)").withBytes { Array($0) }
    }
    return result
  }

  /// The names of the companion files, those of the folder of templates with its name before them.
  static func companionNames(_ folder: String) throws -> [String] {
    guard fileExists(folder) else { return [] }
    var names: [String] = []
    for name in try folderEntries(folder).sorted() {
      if isCompanion(name) { names.append(name) }
      guard name == ChatTemplates.folder else { continue }
      try checkLink("\(folder)/\(name)")
      names += try folderEntries("\(folder)/\(name)").sorted().filter { $0.hasSuffix(".jinja") }
        .map { "\(name)/\($0)" }
    }
    return names
  }

  /// Throws at a broken link in a model's folder, if the file would be read.
  static func checkLinks(_ folder: String) throws {
    let others = ["config.json", "model.safetensors.index.json"]
    for name in (try? folderEntries(folder)) ?? []
    where isCompanion(name) || others.contains(name) || name.hasSuffix(".safetensors") {
      try checkLink("\(folder)/\(name)")
    }
  }

  /// Throws where there is no folder, or one that holds an adapter and no model.
  public static func checkIsModel(_ folder: String) throws {
    var status = stat()
    if stat(folder, &status) != 0, errno == ENOENT {
      throw FileError(
        folder, "there is no such folder; models are read from disk and never downloaded")
    }
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

  /// Throws where the file that is written last is missing and others are there: a save was
  /// interrupted.
  static func checkIsComplete(_ folder: String, last name: String) throws {
    try checkLinks(folder)
    guard !fileExists("\(folder)/\(name)"),
      let entries = try? folderEntries(folder),
      entries.contains(where: { $0.contains(".safetensors") || $0.hasSuffix(".tmp") })
    else { return }
    throw FileError(
      "\(folder)/\(name)",
      "is missing, though there are weights: the folder is incomplete, as after a save that was "
        + "interrupted; save or copy it again")
  }
}
