// A tokenizer of single characters, for small models of our own, in the Hugging Face format: BPE
// without merges.

/// Makes the files of a tokenizer whose tokens are single characters.
public enum CharacterTokenizer {
  /// The contents of tokenizer.json and tokenizer_config.json.
  ///
  /// Special tokens get the first ids, in order, and the characters the ones after. `eos`, `bos`
  /// and `pad` must be among the special tokens. Throws when a token comes twice or a character is
  /// more than one Unicode scalar. Without `unknown`, other characters are dropped.
  public static func make(
    characters: [String], special: [String], eos: String, bos: String? = nil, pad: String? = nil,
    unknown: String? = nil
  ) throws -> (tokenizer: JSON, configuration: JSON) {
    for character in characters where character.unicodeScalars.count != 1 {
      throw TokenizerError("'\(character)' is not a single character")
    }
    for name in [eos, bos, pad, unknown].compactMap({ $0 }) where !special.contains(name) {
      throw TokenizerError("'\(name)' must be among the special tokens")
    }
    let tokens = special + characters
    guard Set(tokens.map { Array($0.utf8) }).count == tokens.count, !special.contains("") else {
      throw TokenizerError("a token of the vocabulary comes twice or is empty")
    }
    let name = { (token: String?) -> JSON in token.map { .string($0) } ?? .null }
    let configuration = JSON.object([
      .init("tokenizer_class", .string("PreTrainedTokenizerFast")),
      .init("clean_up_tokenization_spaces", .bool(false)),
      .init("bos_token", name(bos)), .init("eos_token", name(eos)), .init("pad_token", name(pad)),
      .init("unk_token", name(unknown)),
    ])
    return (tokenizer(tokens, special, name(unknown)), configuration)
  }

  private static func tokenizer(_ tokens: [String], _ special: [String], _ unknown: JSON) -> JSON {
    let added = special.enumerated().map { id, content -> JSON in
      .object([
        .init("id", .integer(id)), .init("content", .string(content)),
        .init("single_word", .bool(false)), .init("lstrip", .bool(false)),
        .init("rstrip", .bool(false)), .init("normalized", .bool(false)),
        .init("special", .bool(true)),
      ])
    }
    let model: [JSON.Member] = [
      .init("type", .string("BPE")), .init("dropout", .null), .init("unk_token", unknown),
      .init("continuing_subword_prefix", .null), .init("end_of_word_suffix", .null),
      .init("fuse_unk", .bool(false)), .init("byte_fallback", .bool(false)),
      .init("ignore_merges", .bool(false)), .init("merges", .array([])),
      .init("vocab", .object(tokens.enumerated().map { .init($1, .integer($0)) })),
    ]
    return .object([
      .init("version", .string("1.0")), .init("truncation", .null), .init("padding", .null),
      .init("added_tokens", .array(added)), .init("normalizer", .null),
      .init("pre_tokenizer", .null), .init("post_processor", .null),
      .init("decoder", .object([.init("type", .string("Fuse"))])), .init("model", .object(model)),
    ])
  }
}
