import TestSupport
import Testing

@testable import Text

/// Whole tokenizers laid out as those of real families, and sets of characters, against the
/// `tokenizers` library: Tests/Fixtures/make_tokenizer_families.py.
struct TokenizerFamilyTests {
  @Test func equalTheLibrary() throws {
    var base = JSON.null
    var count = 0
    for row in try JSONLines.read(localFixture("tokenizer_families.jsonl")) {
      // Rows without a tokenizer of their own change the normalizer of the last one.
      if let file = row["tokenizer"], file != .null { base = file }
      var file = base
      if let normalizer = row["normalizer"] { file.set("normalizer", normalizer) }
      let name = Comment(rawValue: row["name"]?.string ?? "")
      let tokenizer = try Tokenizer(JSONFields(file, file: "tokenizer.json"), names: nil)
      try checkEncoding(tokenizer, row, name)
      try checkDecoding(tokenizer, row, name)
      count += 1
    }
    #expect(count > 90)
  }

  private func checkEncoding(_ tokenizer: Tokenizer, _ row: JSON, _ name: Comment) throws {
    for item in try #require(row["encode"]?.array) {
      let parts = try #require(item.array)
      let text = try #require(parts[0].string)
      #expect(try tokenizer.encode(text, addSpecialTokens: false) == parts[1].integers, name)
      #expect(try tokenizer.encode(text) == parts[2].integers, name)
    }
  }

  private func checkDecoding(_ tokenizer: Tokenizer, _ row: JSON, _ name: Comment) throws {
    for item in try #require(row["decode"]?.array) {
      let parts = try #require(item.array)
      let ids = try #require(parts[0].integers)
      #expect(try utf8(tokenizer.decode(ids)) == parts[1].string.map(utf8), name)
      let text = try tokenizer.decode(ids, skipSpecialTokens: true)
      #expect(utf8(text) == parts[2].string.map(utf8), name)
    }
  }

  @Test func boundsPatterns() throws {
    let text = String(repeating: "a", count: 60)
    for (pattern, text) in [("(a|a)*b", text), ("(?:a+)+$", text + "b")] {
      var file = try JSON.parse(#"{"model": {"vocab": {"a": 0}}}"#)
      file.set(
        "pre_tokenizer",
        try JSON.parse(
          #"{"type": "Split", "pattern": {"Regex": "\#(pattern)"}, "behavior": "Isolated"}"#))
      let tokenizer = try Tokenizer(JSONFields(file, file: "t.json"), names: nil)
      #expect(
        errorText { _ = try tokenizer.encode(text) }
          == "the tokenizer's pattern \(pattern.debugDescription) takes too many steps on this text"
      )
    }
  }

  @Test func refusesTextWithoutTokens() throws {
    let file = try JSON.parse(#"{"model": {"vocab": {"a": 0}, "unk_token": "<unk>"}}"#)
    let tokenizer = try Tokenizer(JSONFields(file, file: "t.json"), names: nil)
    #expect(try tokenizer.encode("aa") == [0, 0])
    #expect(
      errorText { _ = try tokenizer.encode("ab") }
        == "the text has characters that need the unknown token '<unk>', which the vocabulary of "
        + "the tokenizer lacks")
  }

  @Test func numbersAddedTokensOn() throws {
    let file = try JSON.parse(
      #"{"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 7, "content": "<x>"}]}"#)
    let tokenizer = try Tokenizer(JSONFields(file, file: "t.json"), names: nil)
    #expect(try tokenizer.encode("<x>a") == [1, 0])
  }
}
