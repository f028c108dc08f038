import Foundation
import TestSupport
import Testing

@testable import Text

/// What the files beside a tokenizer.json say, where it would change ids in transformers, is refused
/// by the name of the file and the field.
struct CompanionFilesTests {
  private static let tokenizer = #"""
    {"added_tokens": [{"id": 2, "content": "<a>", "special": true}],
     "pre_tokenizer": {"type": "Sequence", "pretokenizers":
       [{"type": "ByteLevel", "add_prefix_space": SPACE, "use_regex": false}]},
     "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}
    """#

  private func problem(_ files: [String: String], space: Bool = false) throws -> String? {
    let folder = FileManager.default.temporaryDirectory.path + "/companions-\(UUID())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var files = files
    files["tokenizer.json"] = Self.tokenizer.replacingOccurrences(of: "SPACE", with: "\(space)")
    for (name, text) in files {
      try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }
    let error = errorText { _ = try Tokenizer(folder: folder) }
    return error?.replacingOccurrences(of: folder + "/", with: "")
  }

  private static let unknown =
    "which is no added token of tokenizer.json; transformers would find it in texts: add it to "
    + "'added_tokens' there, or remove it here"

  static let refused: [(file: String, text: String, error: String)] = [
    (
      "tokenizer_config.json", #"{"split_special_tokens": true}"#,
      "field 'split_special_tokens' true is not supported"
    ),
    (
      "tokenizer_config.json", #"{"added_tokens_decoder": {"2": {"content": "<b>"}}}"#,
      "field 'added_tokens_decoder.2' is '<b>', \(unknown)"
    ),
    (
      "tokenizer_config.json", #"{"additional_special_tokens": ["<a>", "<b>"]}"#,
      "field 'additional_special_tokens[1]' is '<b>', \(unknown)"
    ),
    (
      "tokenizer_config.json", #"{"extra_special_tokens": [{"content": "<c>"}]}"#,
      "field 'extra_special_tokens[0]' is '<c>', \(unknown)"
    ),
    (
      "added_tokens.json", #"{"<a>": 2, "<d>": 3}"#, "field '<d>' is '<d>', \(unknown)"
    ),
    (
      "tokenizer_config.json",
      #"{"add_prefix_space": true, "tokenizer_class": "GPT2TokenizerFast"}"#,
      "field 'add_prefix_space' true contradicts tokenizer.json, whose pre_tokenizer adds no space;"
    ),
  ]

  @Test(arguments: refused)
  func areRefused(_ file: String, _ text: String, _ error: String) throws {
    let problem = try problem([file: text])
    #expect(problem?.hasPrefix("\(file): \(error)") == true, "\(problem ?? "no error")")
  }

  static let accepted: [(file: String, text: String, space: Bool)] = [
    ("tokenizer_config.json", #"{"split_special_tokens": false}"#, false),
    ("tokenizer_config.json", #"{"added_tokens_decoder": {"2": {"content": "<a>"}}}"#, false),
    (
      "tokenizer_config.json", #"{"additional_special_tokens": ["<a>", {"content": "<a>"}]}"#, false
    ),
    ("tokenizer_config.json", #"{"extra_special_tokens": {"image": "<b>"}}"#, false),
    ("added_tokens.json", #"{"<a>": 2}"#, false),
    (
      "tokenizer_config.json", #"{"add_prefix_space": true, "tokenizer_class": "GPT2Tokenizer"}"#,
      true
    ),
    (
      "tokenizer_config.json", #"{"add_prefix_space": true, "tokenizer_class": "LlamaTokenizer"}"#,
      false
    ),
  ]

  @Test(arguments: accepted)
  func areAccepted(_ file: String, _ text: String, _ space: Bool) throws {
    #expect(try problem([file: text], space: space) == nil)
  }

  /// The older file counts where the newer has no `added_tokens_decoder`.
  @Test func olderFile() throws {
    let config = try JSONFields(JSON.parse(#"{"eos_token": "<a>", "pad_token": "<p>"}"#), file: "c")
    let map = try JSONFields(
      JSON.parse(#"{"eos_token": "<b>", "pad_token": null, "other": 1}"#), file: "m")
    let merged = try #require(try Tokenizer.names(config, map: map))
    #expect(try merged.string("eos_token") == "<b>")
    #expect(try merged.string("pad_token") == "<p>")
    #expect(merged["other"] == nil)
    let newer = try JSONFields(
      JSON.parse(#"{"eos_token": "<a>", "added_tokens_decoder": {}}"#), file: "c")
    #expect(try Tokenizer.names(newer, map: map)?.string("eos_token") == "<a>")
    #expect(try Tokenizer.names(nil, map: map)?.string("eos_token") == "<b>")
    #expect(try Tokenizer.names(nil, map: nil) == nil)
  }
}
