import Foundation
import TestSupport
import Testing

/// A sound model folder, and copies of it in which one thing is wrong each.
enum DamagedFiles {
  /// Writes all of them into a folder.
  static func write(in folder: String) throws {
    try copy("model", in: folder)
    try models(in: folder)
    for (name, text) in [
      ("rows", "{\"prompt\": \"a\", \"answer\": \"1\"}\n{\"prompt\": \"b\", \n"),
      ("questions", "{\"question\": \"a\"}\n"), ("numbers", "{\"prompt\": 3}\n"), ("empty", ""),
    ] {
      try text.write(toFile: "\(folder)/\(name).jsonl", atomically: true, encoding: .utf8)
    }
  }

  private static func models(in folder: String) throws {
    try copy("no_weights", in: folder)
    try FileManager.default.removeItem(atPath: "\(folder)/no_weights/model.safetensors")
    try change("truncated", "model.safetensors", in: folder) { $0.dropLast(1000) }
    try change("lying", "model.safetensors", in: folder) {
      try replace("\"shape\":[320,48]", "\"shape\":[920,48]", in: $0)
    }
    try change("endless", "model.safetensors", in: folder) {
      $0.prefix(7) + [0x7F] + $0.dropFirst(8)
    }
    for (name, old, new) in [
      ("no_key", "\"hidden_size\"", "\"hiddensize\""),
      ("no_number", "\"hidden_size\": 48", "\"hidden_size\": \"many\""),
      ("mamba", "\"model_type\": \"qwen2\"", "\"model_type\": \"mamba\""),
      ("layers", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"),
    ] {
      try change(name, "config.json", in: folder) { try replace(old, new, in: $0) }
    }
    try change("no_json", "config.json", in: folder) { _ in Data("{\"layers\": 12, ".utf8) }
    try change("tokens", "tokenizer.json", in: folder) { _ in
      Data("{\"model\": {\"type\": \"Foo\"}}".utf8)
    }
  }

  private static func copy(_ name: String, in folder: String) throws {
    let source = Fixtures.path("models/tiny-qwen2-tied")
    try FileManager.default.createDirectory(
      atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    for file in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(source)/\(file)"))
      try bytes.write(to: URL(fileURLWithPath: "\(folder)/\(name)/\(file)"))
    }
  }

  private static func change(
    _ name: String, _ file: String, in folder: String, _ body: (Data) throws -> Data
  ) throws {
    try copy(name, in: folder)
    let url = URL(fileURLWithPath: "\(folder)/\(name)/\(file)")
    try body(try Data(contentsOf: url)).write(to: url)
  }

  private static func replace(_ old: String, _ new: String, in data: Data) throws -> Data {
    let range = try #require(data.range(of: Data(old.utf8)), "the fixture has no \(old)")
    return data[..<range.lowerBound] + Data(new.utf8) + data[range.upperBound...]
  }
}
