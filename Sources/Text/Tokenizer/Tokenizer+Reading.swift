// Checks and look-ups while loading a tokenizer.

import Core

extension Tokenizer {
  /// For each id of the vocabulary its index in it, -1 where there is no token.
  static func indices(_ model: BPE, _ fields: JSONFields) throws -> [Int32] {
    var result = [Int32](repeating: -1, count: Int(model.ids.max() ?? -1) + 1)
    for (index, id) in model.ids.enumerated() {
      guard result[Int(id)] < 0 else {
        let token = String(decoding: model.strings[index], as: UTF8.self)
        throw fields.error("model.vocab", "gives the id \(id) of '\(token)' to another token too")
      }
      result[Int(id)] = Int32(index)
    }
    return result
  }

  /// An added token must not take the id of another token, nor give a known one another id.
  static func check(
    _ added: [AddedToken], _ model: BPE, _ indexOfID: [Int32], _ fields: JSONFields
  ) throws {
    var seen: [Int: [UInt8]] = [:]
    for (number, token) in added.enumerated() {
      let index = model.strings.find(token.content)
      let isOther = index.map { Int(model.ids[$0]) != token.id } ?? false
      let isTaken = index == nil && indexOfID.indices.contains(token.id) && indexOfID[token.id] >= 0
      let content = String(decoding: token.content, as: UTF8.self)
      guard !isOther, !isTaken, seen.updateValue(token.content, forKey: token.id) == nil else {
        throw fields.error(
          "added_tokens[\(number)]", "'\(content)' with id \(token.id) contradicts another token")
      }
    }
  }

  /// The added tokens as they are decoded: one that is looked for in normalized text is normalized
  /// itself.
  static func decoded(
    _ added: [Int: AddedToken], _ normalizer: Normalizer?, _ fields: JSONFields
  ) throws -> [Int: [UInt8]] {
    var result = added.mapValues(\.content)
    guard let normalizer else { return result }
    var budget = PatternBudget(bytes: result.values.reduce(0) { $0 + $1.count })
    for (id, token) in added.sorted(by: { $0.key < $1.key }) where token.isNormalized {
      var text = Normalizer.Text(bytes: token.content, budget: budget)
      do { try normalizer.apply(&text) } catch let error as TokenizerError {
        let content = String(decoding: token.content, as: UTF8.self)
        throw fields.error("normalizer", "fails for the added token '\(content)': \(error)")
      }
      (budget, result[id]) = (text.budget, text.bytes)
    }
    return result
  }

  /// The texts of the added tokens of tokenizer.json.
  private var addedTexts: Set<[UInt8]> { Set(addedByID.values.map(\.content)) }

  static func id(_ token: String, _ added: [AddedToken], _ model: BPE) -> Int? {
    let content = Array(token.utf8)
    if let index = model.strings.find(content) { return Int(model.ids[index]) }
    return added.first { $0.content == content }?.id
  }

  /// A token of tokenizer_config.json: a string, or an object with its content.
  static func specialToken(_ names: JSONFields?, _ key: String) throws -> String? {
    guard let names, let value = names[key] else { return nil }
    if case .object = value { return try names.object(key)?.string("content") }
    return try names.string(key)
  }
}

// The files next to a tokenizer.json. A field that would change ids in transformers but not here is
// refused by name.

extension Tokenizer {
  /// The fields of tokenizer_config.json, with the tokens that special_tokens_map.json names in
  /// older folders; nil where there is neither file. As in transformers, the older file is used if
  /// the newer has no `added_tokens_decoder`.
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

  /// Throws at a setting that would change ids in transformers and that tokenizer.json does not
  /// have.
  func check(_ names: JSONFields, _ fields: JSONFields) throws {
    if try names.bool("split_special_tokens", default: false) {
      throw names.error("split_special_tokens", "true is not supported")
    }
    try checkPrefixSpace(names, fields)
    let added = addedTexts
    if case .object(let tokens)? = names["added_tokens_decoder"],
      let entries = try names.object("added_tokens_decoder")
    {
      for token in tokens {
        try Interrupt.check()
        let content = try entries.object(token.key)?.string("content")
        try checkIsAdded(content, added, names, "added_tokens_decoder.\(token.key)")
      }
    }
    for key in ["additional_special_tokens", "extra_special_tokens"] {
      guard case .array(let tokens)? = names[key] else { continue }
      for (place, token) in tokens.enumerated() {
        let text = if case .string(let text) = token { text } else { token["content"]?.plainText }
        try checkIsAdded(text, added, names, "\(key)[\(place)]")
      }
    }
  }

  /// Throws at a token of an added_tokens.json that tokenizer.json does not have.
  func check(added file: JSONFields) throws {
    guard case .object(let tokens) = file.value else { return }
    let added = addedTexts
    for token in tokens { try checkIsAdded(token.key, added, file, token.key) }
  }

  private func checkIsAdded(
    _ token: String?, _ added: Set<[UInt8]>, _ names: JSONFields, _ key: String
  ) throws {
    guard let token, !added.contains(Array(token.utf8)) else { return }
    throw names.error(
      key,
      "is '\(token)', which is no added token of tokenizer.json; transformers would find it in "
        + "texts: add it to 'added_tokens' there, or remove it here")
  }

  /// Classes of transformers that rebuild their pre-tokenizer with this field.
  private static let rebuilding: Set = [
    "GPT2Tokenizer", "GPT2TokenizerFast", "Qwen2Tokenizer", "Qwen2TokenizerFast",
  ]

  private func checkPrefixSpace(_ names: JSONFields, _ fields: JSONFields) throws {
    let name = "add_prefix_space"
    guard try names.bool(name, default: false), let type = names["tokenizer_class"]?.plainText,
      Self.rebuilding.contains(type.asName)
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
