import Models
import TestSupport
import Text

// tokenizer.json with tokenizer_config.json, and the patterns in it.

extension FuzzReader {
  private static let places = ["field '", "line ", "must be an object"]

  /// Texts with what splits, composes, folds and falls back in one tokenizer or another.
  private static let texts = [
    "", " ",
    "Hello <s>  wo\u{308}rld<x>\r\n 12345 \u{65E5}\u{672C} it's \u{1F469}\u{200D}\u{1F467} <x><y>",
    "\u{FDFA}\u{FB01}\u{1D160}\u{AC00}\u{1100}\u{1161}\u{FFFD}\u{0}\u{85}\u{3000}\u{2581}word",
    String(repeating: "a", count: 300) + "!", String(repeating: "ab ", count: 60),
  ]

  static func tokenizer() throws -> FuzzReader {
    FuzzReader(
      name: "tokenizer", seeds: try TokenizerSeeds.all(),
      files: ["tokenizer.json", "tokenizer_config.json"], places: places
    ) { bytes in
      let files = bytes.files()
      let fields = { (bytes: UnsafeRawBufferPointer, file: String) in
        try JSONFields(JSON.parse(bytes, file: file), file: file)
      }
      try use(
        Tokenizer(
          fields(files.first, "tokenizer.json"),
          names: files.second.map { try fields($0, "tokenizer_config.json") }))
    }
  }

  static func pattern() -> FuzzReader {
    FuzzReader(
      name: "pattern", seeds: TokenizerSeeds.patterns.map { Array($0.utf8) },
      files: ["tokenizer.json"], places: ["field '"]
    ) { bytes in
      let pattern = JSON.object([.init("Regex", .string(String(decoding: bytes, as: UTF8.self)))])
      var file = try JSON.parse(TokenizerSeeds.small)
      file.set("pre_tokenizer", try JSON.parse(#"{"type": "Split", "behavior": "Isolated"}"#))
      guard var split = file["pre_tokenizer"] else { return }
      split.set("pattern", pattern)
      file.set("pre_tokenizer", split)
      try use(Tokenizer(JSONFields(file, file: "tokenizer.json"), names: nil))
    }
  }

  private static func use(_ tokenizer: Tokenizer) throws {
    try useAnyway {
      for text in texts {
        let ids = try tokenizer.encode(text)
        guard ids.allSatisfy(tokenizer.contains) else {
          throw FuzzFailure("tokenizer: encoding gave an id without a token")
        }
        _ = try tokenizer.decode(ids)
        _ = try tokenizer.decode(ids, skipSpecialTokens: true)
      }
    }
    try useAnyway { _ = try tokenizer.decode(Array(0..<40)) }
    try useAnyway { _ = try tokenizer.decode([.max, -1]) }
    for id in [tokenizer.bosID, tokenizer.eosID, tokenizer.padID]
    where id.map(tokenizer.contains) == false {
      throw FuzzFailure("tokenizer: a special token has the id of none")
    }
  }
}

/// Tokenizers of a few tokens with every component.
enum TokenizerSeeds {
  /// A base for components.
  static let small = """
    {"added_tokens": [{"id": 20, "content": "<s>", "special": true, "normalized": false}], \
    "normalizer": null, "pre_tokenizer": null, "post_processor": null, \
    "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "unk_token": "?", \
    "fuse_unk": true, "byte_fallback": false, "ignore_merges": false, \
    "vocab": {"?": 0, "a": 1, "b": 2, "H": 3, "e": 4, "l": 5, "o": 6, "\u{120}": 7, "w": 8, \
    "He": 9, "ll": 10, "Hell": 11, "Hello": 12, "ab": 13, "\u{2581}": 14, "1": 15, "<0x0A>": 16}, \
    "merges": ["H e", "l l", ["He", "ll"], "Hell o", "a b"]}}
    """
  private static let names = """
    {"bos_token": "<s>", "eos_token": {"content": "<s>", "special": true}, "pad_token": null}
    """
  private static let processor = """
    {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, \
    {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], \
    "special_tokens": {"<s>": {"id": "<s>", "ids": [20], "tokens": ["<s>"]}}}
    """

  static let patterns = [
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#,
    #"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]+"#,
    #"(a+)+b|(?:a|a)*!|(a|ab)(c|bcd)(d*)"#, #"(?>a*)a|\bword\b|^\w$|\Ax\z|[[:x]"#,
    "((a{1,100}){1,100}){1,100}b", "(){999}{999}",
    #"[a-z&&[^b]]|\x{1F469}\u00e9|.{2,}?b"#, "(){1000}", "a?b??c*?d+?",
  ]

  static func all() throws -> [[UInt8]] {
    var seeds: [[UInt8]] = []
    var rows = try JSONLines.read(localFixture("tokenizer_components.jsonl"))
    for changes in [["post_processor": processor], ["post_processor": #"{"type": "ByteLevel"}"#]] {
      rows.append(
        .object([.init("changes", .object(try changes.map { .init($0, try JSON.parse($1)) }))]))
    }
    for row in rows {
      var file = try JSON.parse(small)
      if case .object(let changes)? = row["changes"] {
        for change in changes { file.set(change.key, change.value) }
      }
      if let added = row["added"] { file.set("added_tokens", added) }
      seeds.append(
        FuzzReader.joined([Array(try file.text().utf8), Array(names.utf8)]))
    }
    let models = ["tiny-qwen2-tied", "tiny-llama-rope3", "tiny-gpt2"]
    return seeds + models.map { fixture("models/\($0)/tokenizer.json") }.filter { !$0.isEmpty }
  }
}
