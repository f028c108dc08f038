// Checks and look-ups that the tokenizer makes while it is read.

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

  /// The added tokens as they are decoded: one that is looked for in normalized text is normalized itself.
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

  /// Whether tokenizer.json has an added token with this text.
  func isAdded(_ token: String) -> Bool {
    let bytes = Array(token.utf8)
    return addedByID.values.contains { $0.content == bytes }
  }

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
