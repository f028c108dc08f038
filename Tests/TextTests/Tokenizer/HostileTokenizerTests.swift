import TestSupport
import Testing

@testable import Text

/// Files of a tokenizer that are sound and made to take all time or memory. The fuzzer found them,
/// or their like.
struct HostileTokenizerTests {
  private func tokenizer(_ components: String) throws -> Tokenizer {
    let text = #"{"model": {"vocab": {"a": 0, "b": 1}}, \#(components)}"#
    return try Tokenizer(JSONFields(JSON.parse(text), file: "tokenizer.json"), names: nil)
  }

  static let patterns: [(String, String)] = [
    ("(){999}{999}{999}", "the pattern is too long"),
    ("(?:a{0}){999}{999}{999}", "the pattern is too long"),
    ("a" + String(repeating: "?", count: 100_000), "more than 20 repetitions of each other"),
  ]

  @Test(arguments: patterns) func patternsAreRefused(_ pattern: String, _ reason: String) throws {
    let split = #""pre_tokenizer": {"type": "Split", "behavior": "Isolated", "pattern": "#
    let error = errorText { _ = try tokenizer(split + #"{"Regex": "\#(pattern)"}}"#) }
    #expect(error?.hasPrefix("tokenizer.json: field 'pre_tokenizer.pattern'") == true)
    #expect(error?.hasSuffix(reason) == true)
  }

  /// A step that makes a hundred letters of one.
  private static let hundredfold =
    #"{"type": "Replace", "pattern": {"String": "a"}, "content": ""#
    + String(repeating: "a", count: 100) + #""}"#

  /// Fifty of each would fill any memory; ByteLevel doubles what is not ASCII.
  static let growing = [
    ("normalizer", "normalizers", hundredfold),
    ("normalizer", "normalizers", #"{"type": "ByteLevel"}"#),
    ("pre_tokenizer", "pretokenizers", #"{"type": "ByteLevel", "use_regex": false}"#),
    ("decoder", "decoders", hundredfold),
  ]

  @Test(arguments: growing) func growthEnds(_ key: String, _ list: String, _ step: String) throws {
    let steps = Array(repeating: step, count: 50).joined(separator: ",")
    let tokenizer = try tokenizer(#""\#(key)": {"type": "Sequence", "\#(list)": [\#(steps)]}"#)
    let error = errorText { _ = try tokenizer.decode(tokenizer.encode("aé") + [0]) }
    #expect(error == "the tokenizer's steps make too much of this text")
  }

  @Test func normalizedTokensNameTheFile() {
    let steps = Array(repeating: Self.hundredfold, count: 50).joined(separator: ",")
    let error = errorText {
      _ = try tokenizer(
        #""normalizer": {"type": "Sequence", "normalizers": [\#(steps)]}, "#
          + #""added_tokens": [{"id": 2, "content": "<a>", "normalized": true}]"#)
    }
    #expect(
      error == "tokenizer.json: field 'normalizer' fails for the added token '<a>': "
        + "the tokenizer's steps make too much of this text")
  }
}
