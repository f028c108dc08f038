import TestSupport
import Testing

@testable import Text

@Suite struct CharacterTokenizerTests {
  static let characters = "0123456789+= -é日".map(String.init)

  func make(unknown: String? = nil) throws -> Tokenizer {
    let files = try CharacterTokenizer.make(
      characters: Self.characters, special: ["<pad>", "<end>", "<unk>"], eos: "<end>", pad: "<pad>",
      unknown: unknown)
    return try Tokenizer(
      JSONFields(files.tokenizer, file: "tokenizer.json"),
      names: JSONFields(files.configuration, file: "tokenizer_config.json"))
  }

  /// The ids are those that the `tokenizers` library gives for the same file.
  @Test func encodes() throws {
    let tokenizer = try make()
    #expect(tokenizer.vocabularySize == 19)
    #expect(tokenizer.eosID == 1)
    #expect(tokenizer.padID == 0)
    #expect(tokenizer.bosID == nil)
    #expect(try tokenizer.encode("12 + 3 = 15<end>") == [4, 5, 15, 13, 15, 6, 15, 14, 15, 4, 8, 1])
    #expect(try tokenizer.encode("1é日x") == [4, 17, 18])
    #expect(try make(unknown: "<unk>").encode("1xx2") == [4, 2, 2, 5])
    #expect(try tokenizer.decode([4, 5, 15, 13, 17, 1]) == "12 +é<end>")
    #expect(try tokenizer.decode([4, 5, 1], skipSpecialTokens: true) == "12")
  }

  @Test func refuses() {
    func text(_ characters: [String], _ special: [String], eos: String) -> String? {
      errorText {
        _ = try CharacterTokenizer.make(characters: characters, special: special, eos: eos)
      }
    }
    #expect(text(["ab"], ["<e>"], eos: "<e>") == "'ab' is not a single character")
    #expect(text(["a"], [], eos: "<e>") == "'<e>' must be among the special tokens")
    #expect(
      text(["a", "a"], ["<e>"], eos: "<e>")
        == "a token of the vocabulary comes twice or is empty")
  }
}
