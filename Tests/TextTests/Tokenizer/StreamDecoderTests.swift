import TestSupport
import Testing

@testable import Text

@Suite(.enabled(if: Fixtures.areThere, "\(Fixtures.missing)"))
struct StreamDecoderTests {
  @Test(arguments: ["tokenizers/qwen2.5", "models/stories260K"])
  func showsTextAsSoonAsItIsCertain(_ folder: String) throws {
    let tokenizer = try Tokenizer(folder: Fixtures.path(folder))
    let text = "Hello, wörld 🙂 日本!"
    let ids = try tokenizer.encode(text, addSpecialTokens: false)
    var stream = StreamDecoder(tokenizer)
    var shown = ""
    for id in ids {
      shown += try stream.feed(id)
      #expect(text.hasPrefix(shown))
    }
    #expect(try shown + stream.finish() == text)
    #expect(shown.hasSuffix("!"))
  }

  @Test func holdsBackUnfinishedCharacters() throws {
    let tokenizer = try Tokenizer(folder: Fixtures.path("models/tiny-qwen2-tied"))
    let ids = try tokenizer.encode("é", addSpecialTokens: false)
    #expect(ids.count == 2)
    var stream = StreamDecoder(tokenizer)
    #expect(try stream.feed(ids[0]) == "")
    #expect(try stream.feed(ids[1]) == "é")
    #expect(try stream.feed(ids[0]) == "")
    #expect(try stream.finish() == "\u{FFFD}")
  }

  @Test func idsWithoutAToken() throws {
    let tokenizer = try Tokenizer(folder: Fixtures.path("models/tiny-qwen2-tied"))
    for id in [-1, 310, 1 << 32, .max, .min] {
      let text = errorText { _ = try tokenizer.token(id) }
      #expect(text == "there is no token \(id) (the vocabulary has 310)")
    }
    // A row of the embeddings without a token, as transformers 5.24 decodes it: as nothing.
    for id in [310, 4_294_967_295] {
      #expect(try tokenizer.decode([id]) == "")
      #expect(try tokenizer.decode([256, id, 256]) == tokenizer.decode([256, 256]))
      var stream = StreamDecoder(tokenizer)
      #expect(try stream.feed(id) == "")
    }
    for id in [-1, 1 << 32, .max, .min] {
      let text = errorText { _ = try tokenizer.decode([id]) }
      #expect(text == "token ids are from 0 to 4294967295, got \(id)")
    }
  }

  @Test func namesTokens() throws {
    let tokenizer = try Tokenizer(folder: Fixtures.path("models/tiny-qwen2-tied"))
    #expect(tokenizer.id("<|endoftext|>") == 307)
    #expect(try tokenizer.token(307) == "<|endoftext|>")
    #expect(tokenizer.id("Ġt") == 256)
    #expect(tokenizer.id("no such token") == nil)
    #expect(tokenizer.isSpecial(307))
    #expect(!tokenizer.isSpecial(258))
    #expect(tokenizer.bosID == nil)
    #expect(
      errorText { _ = try tokenizer.encode(utf8: [0x61, 0xFF]) } == "the text is not valid UTF-8")
  }
}
