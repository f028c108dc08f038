@testable import Text
import TestSupport
import Testing

/// Every stored case of the `tokenizers` library.
@Suite(.enabled(if: Fixtures.areThere, "\(Fixtures.missing)"))
struct TokenizerFixtureTests {
  static let cases = [
    ("tokenizers/stories260K-tok512", "models/stories260K"),
    ("tokenizers/qwen2.5", "tokenizers/qwen2.5"),
  ]

  @Test(arguments: cases) func encodes(_ name: String, _ folder: String) throws {
    let tokenizer = try Tokenizer(folder: Fixtures.path(folder))
    for row in try JSONLines.read(Fixtures.path("\(name)/encode_shared.jsonl")) {
      let text = try #require(row["text"]?.string)
      let place = Comment(
        rawValue: "case \(row["i"]?.excerpt ?? "") (\(row["class"]?.excerpt ?? ""))")
      let ids = try tokenizer.encode(text, addSpecialTokens: false)
      #expect(ids == row["ids"]?.integers, place)
      #expect(try tokenizer.encode(text) == row["ids_add_special"]?.integers, place)
      #expect(try utf8(tokenizer.decode(ids)) == row["decode"]?.string.map(utf8), place)
      let plain = try tokenizer.decode(ids, skipSpecialTokens: true)
      #expect(utf8(plain) == row["decode_skip_special"]?.string.map(utf8), place)
    }
  }

  @Test(arguments: cases) func decodes(_ name: String, _ folder: String) throws {
    let tokenizer = try Tokenizer(folder: Fixtures.path(folder))
    for row in try JSONLines.read(Fixtures.path("\(name)/decode_shared.jsonl")) {
      let ids = try #require(row["ids"]?.integers)
      let place = Comment(rawValue: "case \(row["i"]?.excerpt ?? "")")
      #expect(try utf8(tokenizer.decode(ids)) == row["decode"]?.string.map(utf8), place)
      let plain = try tokenizer.decode(ids, skipSpecialTokens: true)
      #expect(utf8(plain) == row["decode_skip_special"]?.string.map(utf8), place)
    }
  }

  @Test(arguments: [
    "tiny-gpt2", "tiny-llama-bf16", "tiny-llama-mha", "tiny-llama-rope3", "tiny-mistral-swa",
    "tiny-qwen2-sharded", "tiny-qwen2-tied", "tiny-qwen2-untied", "tiny-qwen3",
  ])
  func encodesPromptsOfTheModels(_ name: String) throws {
    let folder = Fixtures.path("models/\(name)")
    let tokenizer = try Tokenizer(folder: folder)
    let reference = try JSON.read("\(folder)/ref/ref.json")
    #expect(reference["tokenizer_vocab"] == .integer(tokenizer.vocabularySize))
    #expect(reference["eos"]?.integer == tokenizer.eosID)
    #expect(reference["pad"]?.integer == tokenizer.padID)
    let texts = try #require(reference["text"]?.array)
    #expect(!texts.isEmpty)
    for row in texts {
      #expect(try tokenizer.encode(row["prompt"]?.string ?? "") == row["ids"]?.integers)
      let ids = try #require(row["greedy_new_ids"]?.integers)
      let text = try tokenizer.decode(ids)
      #expect(utf8(text) == row["greedy_text"]?.string.map(utf8))
    }
  }
}

/// Swift compares strings by canonical equivalence; the bytes are what counts here.
func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }
