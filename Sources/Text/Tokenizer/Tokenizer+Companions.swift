// What the files beside a tokenizer.json say about it. Where transformers would give other ids because of them, and this
// program would not, the field is refused by its name.

extension Tokenizer {
  /// The fields of tokenizer_config.json, with the tokens that special_tokens_map.json names in older folders; nil where there is
  /// neither file. As in transformers, the older file counts where the newer has no `added_tokens_decoder`.
  static func names(_ config: JSONFields?, map: JSONFields?) throws -> JSONFields? {
    guard let map, case .object(let given) = map.value, config?["added_tokens_decoder"] == nil
    else {
      return config
    }
    guard let config else { return map }
    var merged = config.value
    for member in given where member.key.hasSuffix("_token") && member.value != .null {
      merged.set(member.key, member.value)
    }
    return try JSONFields(merged, file: config.file)
  }

  /// Throws at a setting that would change ids in transformers and that tokenizer.json does not have.
  func check(_ names: JSONFields, _ fields: JSONFields) throws {
    if try names.bool("split_special_tokens", default: false) {
      throw names.error("split_special_tokens", "true is not supported")
    }
    try checkPrefixSpace(names, fields)
    if case .object(let tokens)? = names["added_tokens_decoder"] {
      for token in tokens {
        let entry = try names.object("added_tokens_decoder")?.object(token.key)
        try checkIsAdded(entry?.string("content"), names, "added_tokens_decoder.\(token.key)")
      }
    }
    for key in ["additional_special_tokens", "extra_special_tokens"] {
      guard case .array(let tokens)? = names[key] else { continue }
      for (place, token) in tokens.enumerated() {
        let text = if case .string(let text) = token { text } else { token["content"]?.plainText }
        try checkIsAdded(text, names, "\(key)[\(place)]")
      }
    }
  }

  /// Throws at a token of an added_tokens.json that tokenizer.json does not have.
  func check(added file: JSONFields) throws {
    guard case .object(let tokens) = file.value else { return }
    for token in tokens { try checkIsAdded(token.key, file, token.key) }
  }

  private func checkIsAdded(_ token: String?, _ names: JSONFields, _ key: String) throws {
    guard let token, !isAdded(token) else { return }
    throw names.error(
      key,
      "is '\(token)', which is no added token of tokenizer.json; transformers would find it in "
        + "texts: add it to 'added_tokens' there, or remove it here")
  }

  /// Classes of transformers that build their pre-tokenizer anew, with this field.
  private static let rebuilding: Set = [
    "GPT2Tokenizer", "GPT2TokenizerFast", "Qwen2Tokenizer", "Qwen2TokenizerFast",
  ]

  private func checkPrefixSpace(_ names: JSONFields, _ fields: JSONFields) throws {
    let name = "add_prefix_space"
    guard try names.bool(name, default: false), let type = names["tokenizer_class"]?.plainText,
      Self.rebuilding.contains(type)
    else { return }
    let outer = fields["pre_tokenizer"] ?? .null
    var parts = [outer]
    if case .array(let inner)? = outer["pretokenizers"] { parts += inner }
    guard !parts.contains(where: { $0[name] == .bool(true) }) else { return }
    throw names.error(
      name,
      "true contradicts tokenizer.json, whose pre_tokenizer adds no space; transformers' "
        + "\(type) would: make both the same")
  }
}

extension JSON {
  /// The text of a string.
  fileprivate var plainText: String? { if case .string(let text) = self { text } else { nil } }
}
