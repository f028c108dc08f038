// A rollout: prompts with completions, sampled or recorded. What the class offers to scripts is in
// RolloutModule.swift. The callers' row tables are Lua's and lie in the object's user value.

import Lua
import Models
import Tensors
import Text

/// Prompts with completions.
final class Rollout: LuaObject {
  static let luaName = "apo.Rollout"

  /// A prompt and one completion, in ids, in text or in both.
  struct Item {
    var promptIDs: [Int]?
    var prompt: String?
    /// The completion's tokens, the end token included.
    var ids: [Int]?
    var text: String?
    /// ln p of each token as it was sampled.
    var logProbabilities: [Float]?
    var finishReason: String?
    /// The stop string, or the stop token, that ended it.
    var stopReason: LuaValue?
    /// Bytes of the text before a stop string.
    var textLength: Int?
    /// Whether an end token is to be appended to a recorded text.
    var wantsEnd = false
    /// Position of the row in the user value, from 1.
    let row: Int
    /// Number among the samples of the prompt, from 1.
    let sample: Int
  }

  private(set) var items: [Item]
  /// What the sampler divided logits by, 1 for greedy and for records that do not say so.
  let temperature: Double
  /// The weights that sampled all of them; nil where a script or a file gave any.
  let origin: Transformer.WeightStamp?
  private let tokenizer: Tokenizer?

  init(
    _ items: [Item], temperature: Double, origin: Transformer.WeightStamp? = nil,
    tokenizer: Tokenizer?
  ) {
    self.items = items
    self.temperature = temperature
    self.origin = origin
    self.tokenizer = tokenizer
  }

  /// Some of the completions, which share rows with these.
  func part(_ range: Range<Int>) -> Rollout {
    Rollout(Array(items[range]), temperature: temperature, origin: origin, tokenizer: tokenizer)
  }

  /// The number of tokens of each completion.
  func lengths() throws -> [Int] {
    try items.indices.map { index in
      guard let ids = items[index].ids else { throw unknownIDs(index) }
      return ids.count
    }
  }

  private func unknownIDs(_ index: Int) -> LuaError {
    LuaError(
      "rollout: the token ids of completion \(index + 1) are not known yet; pass "
        + "{tokenizer = …} to apo.rollout")
  }

  /// Prompts and completions for scoring; texts are encoded by the model's tokenizer.
  func sequences(for model: Model) throws -> [TokenSequence] {
    if items.contains(where: { $0.ids == nil || $0.promptIDs == nil || $0.wantsEnd }) {
      let tokenizer = try model.requireTokenizer(for: "logprobs: a rollout of recorded text")
      try encode(with: tokenizer, end: model.endTokens.first)
    }
    return items.map { TokenSequence(prompt: $0.promptIDs ?? [], completion: $0.ids ?? []) }
  }

  /// The same where nothing needs to be encoded; throws elsewhere.
  func knownSequences() throws -> [TokenSequence] {
    try items.enumerated().map { index, item in
      guard let ids = item.ids, let promptIDs = item.promptIDs, !item.wantsEnd else {
        throw unknownIDs(index)
      }
      return TokenSequence(prompt: promptIDs, completion: ids)
    }
  }

  /// Fills in the ids of what is known as text only.
  func encode(with tokenizer: Tokenizer, end: Int?) throws {
    for index in items.indices {
      do {
        try items[index].encode(with: tokenizer, end: end)
      } catch {
        throw LuaError("rollout: record \(index + 1): \(error)")
      }
    }
  }

  // MARK: Text

  /// The text of a completion without end token, special tokens and stop string, as it follows the
  /// prompt's.
  func text(_ index: Int) throws -> String? {
    if let text = items[index].text { return text }
    guard let tokenizer, var ids = items[index].ids else { return nil }
    if items[index].finishReason == "eos" { ids = ids.dropLast() }
    var decoder = try StreamDecoder(
      tokenizer, after: items[index].promptIDs ?? [], skipSpecialTokens: true)
    var text = try ids.map { try decoder.feed($0) }.joined() + decoder.finish()
    if let length = items[index].textLength {
      text = String(decoding: text.utf8.prefix(length), as: UTF8.self)
    }
    items[index].text = text
    return text
  }

  /// The text of a prompt.
  func prompt(_ index: Int) throws -> String? {
    if let prompt = items[index].prompt { return prompt }
    guard let tokenizer, let ids = items[index].promptIDs else { return nil }
    let prompt = try tokenizer.decode(ids, skipSpecialTokens: true)
    items[index].prompt = prompt
    return prompt
  }

  // MARK: Between tokens and completions

  /// The sum over each completion: [tokens] to [B].
  func sum(_ tensor: Tensor) throws -> Tensor { try .segmentSum(tensor, lengths: lengths()) }

  /// The mean over each completion, 0 for one without tokens: [tokens] to [B].
  func mean(_ tensor: Tensor) throws -> Tensor {
    let lengths = try lengths()
    let factors = Tensor(lengths.map { 1 / Float(max(1, $0)) }, shape: [lengths.count])
    return try Tensor.segmentSum(tensor, lengths: lengths) * factors
  }

  /// A value for each completion repeated over its tokens: [B] to [tokens].
  func expand(_ tensor: Tensor) throws -> Tensor { try .segmentExpand(tensor, lengths: lengths()) }

  /// What the sampler recorded, tokens end to end, where `model` would compute just that: it has
  /// the very weights that sampled, and divides logits by the same `temperature`. Top-k and its
  /// like do not matter, as what is recorded is before them.
  func sampled(by model: Transformer, temperature: Double) -> [Float]? {
    guard let origin, temperature == self.temperature, origin == model.weightStamp else {
      return nil
    }
    return items.flatMap { $0.logProbabilities ?? [] }
  }

  /// ln p of each completion as it was sampled, nil for a recorded one.
  func logProbability(_ index: Int) -> Float? {
    // Added as `Tensor.segmentSum` adds.
    items[index].logProbabilities.map { Float($0.reduce(0.0) { $0 + Double($1) }) }
  }
}

extension Rollout.Item {
  fileprivate mutating func encode(with tokenizer: Tokenizer, end: Int?) throws {
    let promptIDs = try promptIDs ?? tokenizer.encode(prompt ?? "")
    if ids == nil, let text {
      ids = try Self.completion(text, after: prompt, promptIDs, tokenizer)
    }
    self.promptIDs = promptIDs
    guard wantsEnd else { return }
    guard let end else { throw LuaError("there is no end token to append (eos = true)") }
    ids?.append(end)
    finishReason = "eos"
    wantsEnd = false
  }

  /// The ids by which a text goes on: as in the encoding of both together where that begins with
  /// the prompt's ids, for a tokenizer may treat the start of a text in its own way.
  private static func completion(
    _ text: String, after prompt: String?, _ promptIDs: [Int], _ tokenizer: Tokenizer
  ) throws -> [Int] {
    if let prompt {
      let whole = try tokenizer.encode(prompt + text)
      if whole.starts(with: promptIDs) { return Array(whole.dropFirst(promptIDs.count)) }
    }
    return try tokenizer.encode(text, addSpecialTokens: false)
  }
}
