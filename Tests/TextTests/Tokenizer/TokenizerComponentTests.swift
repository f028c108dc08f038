import TestSupport
import Testing

@testable import Text

/// Single components against the `tokenizers` library: Tests/Fixtures/make_tokenizer_components.py.
@Suite(.enabled(if: Fixtures.areThere, "\(Fixtures.missing)"))
struct TokenizerComponentTests {
  @Test func equalTheLibrary() throws {
    for row in try JSONLines.read(localFixture("tokenizer_components.jsonl")) {
      let tokenizer = try Tokenizer(JSONFields(file(row), file: "tokenizer.json"), names: nil)
      let changes = Comment(rawValue: (try? row["changes"]?.text()) ?? "")
      for pair in row["encode"]?.array ?? [] {
        let text = try #require(pair.array?.first?.string)
        #expect(
          try tokenizer.encode(text, addSpecialTokens: false) == pair.array?.last?.integers, changes
        )
      }
      for pair in row["decode"]?.array ?? [] {
        let ids = try #require(pair.array?.first?.integers)
        #expect(try utf8(tokenizer.decode(ids)) == pair.array?.last?.string.map(utf8), changes)
      }
    }
  }

  private func file(_ row: JSON) throws -> JSON {
    let base = try #require(row["base"]?.string)
    var file = try JSON.read(Fixtures.path("models/\(base)/tokenizer.json"))
    for member in members(row["changes"]) { file.set(member.key, member.value) }
    var model = try #require(file["model"])
    for member in members(row["model"]) { model.set(member.key, member.value) }
    file.set("model", model)
    let added = (file["added_tokens"]?.array ?? []) + (row["added"]?.array ?? [])
    file.set("added_tokens", .array(added))
    return file
  }

  private func members(_ value: JSON?) -> [JSON.Member] {
    if case .object(let members)? = value { members } else { [] }
  }

  static let refusals: [(String, String)] = [
    (
      #"{"normalizer": {"type": "Precompiled"}}"#,
      "normalizer.type' 'Precompiled' is not a supported normalizer"
    ),
    (
      #"{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}]}}"#,
      "pre_tokenizer.pretokenizers[0].type' 'UnicodeScripts' is not a supported pre-tokenizer"
    ),
    (
      #"{"post_processor": {"type": "Unknown"}}"#,
      "post_processor.type' 'Unknown' is not a supported post-processor"
    ),
    (
      #"{"post_processor": {"type": "RobertaProcessing", "cls": ["a", 0], "sep": ["a"]}}"#,
      #"post_processor.sep' must be a token and its id, got ["a"]"#
    ),
    (
      #"{"post_processor": {"type": "Sequence", "processors": [{"type": "TemplateProcessing", "#
        + #""single": [{"SpecialToken": {"id": "a"}}, {"Sequence": {"id": "A"}}], "#
        + #""special_tokens": {"a": {"ids": [0]}}}, "#
        + #"{"type": "BertProcessing", "cls": ["a", 0], "sep": ["a", 0]}]}}"#,
      "post_processor.processors[1]' behind a template must not add tokens"
    ),
    (#"{"decoder": {"type": "CTC"}}"#, "decoder.type' 'CTC' is not a supported decoder"),
    (#"{"model": {"type": "Unigram"}}"#, "model.type' 'Unigram' is not a supported model"),
    (
      #"{"model": {"vocab": {"a": 0}, "dropout": 0.1}}"#,
      "model.dropout' other than 0 would make the ids random"
    ),
    (
      #"{"model": {"vocab": {"a": 0, "b": 0}}}"#,
      "model.vocab' gives the id 0 of 'b' to another token too"
    ),
    (
      #"{"model": {"vocab": {"a": -1}}}"#,
      "model.vocab' must give 'a' an id up to 4194304, got -1"
    ),
    (
      #"{"model": {"vocab": {"a": 0, "b": 1}, "merges": ["a b"]}}"#,
      #"model.merges[0]' "a b" is not of tokens of the vocabulary"#
    ),
    (
      #"{"added_tokens": [{"id": 0, "content": "b"}]}"#,
      "added_tokens[0]' 'b' with id 0 contradicts another token"
    ),
    (
      #"{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(?~a)b"}, "#
        + #""behavior": "Isolated"}}"#,
      #"pre_tokenizer.pattern' "(?~a)b": the group at character 1 is of a kind not supported"#
    ),
    (
      #"{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a)\\1"}, "#
        + #""behavior": "Isolated"}}"#,
      #"pre_tokenizer.pattern' "(a)\\1": the escape \1 is not supported"#
    ),
    (
      #"{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(?=a)*"}, "#
        + #""behavior": "Isolated"}}"#,
      #"pre_tokenizer.pattern' "(?=a)*": what stands before character 6 cannot be repeated"#
    ),
    (
      #"{"pre_tokenizer": {"type": "FixedLength", "length": 0}}"#,
      "pre_tokenizer.length' must be a positive integer, got 0"
    ),
    (
      #"{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\p{Elvish}"}, "#
        + #""behavior": "Isolated"}}"#,
      #"pre_tokenizer.pattern' "\\p{Elvish}": the property 'Elvish' is not supported"#
    ),
    (
      #"{"pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "x"}}"#,
      "pre_tokenizer.behavior' 'x' is not one of Removed, Isolated, Contiguous, "
        + "MergedWithPrevious, MergedWithNext"
    ),
    (
      #"{"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}, "#
        + #"{"SpecialToken": {"id": "x"}}], "special_tokens": {"x": {"ids": [7]}}}}"#,
      "post_processor' uses the id 7, which is no token"
    ),
  ]

  @Test(arguments: refusals) func refuses(_ changes: String, _ reason: String) throws {
    var file = try JSON.parse(#"{"model": {"vocab": {"a": 0}}}"#)
    for member in members(try JSON.parse(changes)) { file.set(member.key, member.value) }
    let text = errorText { _ = try Tokenizer(JSONFields(file, file: "t.json"), names: nil) }
    #expect(text == "t.json: field '\(reason)")
  }
}
