import Core
import Tensors
import Text

/// A rollout: prompts with completions, sampled or recorded. It is what rewards, losses and records
/// are about; which row a completion belongs to is the caller's to know.
public final class Rollout {
  /// A prompt and one completion, as ids, text or both.
  public struct Item: Sendable {
    /// The prompt's tokens.
    public var promptIDs: [Int]?
    /// The prompt's text.
    public var prompt: String?
    /// The completion's tokens, the end token included.
    public var ids: [Int]?
    /// The completion's text.
    public var text: String?
    /// Sampled ln p of each token.
    public var logProbabilities: [Float]?
    /// Why it ended: `eos`, `stop` or `length`.
    public var finishReason: String?
    /// The stop string, or the stop token, that ended it.
    public var stopReason: StopReason?
    /// Bytes of the text before a stop string.
    public var textLength: Int?
    /// Whether an end token is to be appended to a recorded text.
    public var wantsEnd = false
    /// Number of the row among the caller's, from 1.
    public let row: Int
    /// Number among the samples of the prompt, from 1.
    public let sample: Int

    /// A prompt and a completion that a script or a file gives.
    public init(
      promptIDs: [Int]?, prompt: String?, ids: [Int]?, text: String?, finishReason: String?,
      row: Int, sample: Int
    ) {
      (self.promptIDs, self.prompt, self.ids, self.text) = (promptIDs, prompt, ids, text)
      (self.finishReason, self.row, self.sample) = (finishReason, row, sample)
    }

    /// A sampled completion; `textLength` are the bytes of its text before what stopped it.
    public init(
      promptIDs: [Int], prompt: String?, _ completion: Completion, textLength: Int?, row: Int,
      sample: Int
    ) {
      (self.promptIDs, self.prompt, self.ids) = (promptIDs, prompt, completion.ids)
      (logProbabilities, stopReason) = (completion.logProbabilities, completion.stopReason)
      finishReason = completion.finishReason.rawValue
      (self.textLength, self.row, self.sample) = (textLength, row, sample)
    }
  }

  /// The completions, those of a prompt side by side.
  public private(set) var items: [Item]
  /// The sampling temperature, 1 for greedy and for records without one.
  public let temperature: Double
  /// The weights that sampled all of them; nil if any came from a script or file.
  public let origin: Transformer.WeightStamp?
  private let tokenizer: Tokenizer?

  /// Completions, with the tokenizer that gives their texts.
  public init(
    _ items: [Item], temperature: Double, origin: Transformer.WeightStamp? = nil,
    tokenizer: Tokenizer?
  ) {
    self.items = items
    self.temperature = temperature
    self.origin = origin
    self.tokenizer = tokenizer
  }

  /// A subset of the completions, sharing the rows.
  public func part(_ range: Range<Int>) -> Rollout {
    Rollout(Array(items[range]), temperature: temperature, origin: origin, tokenizer: tokenizer)
  }

  /// The number of tokens of each completion.
  public func lengths() throws -> [Int] {
    try items.indices.map { index in
      guard let ids = items[index].ids else { throw RolloutError.unknownIDs(completion: index) }
      return ids.count
    }
  }

  /// The number of tokens of each completion's prompt.
  public func promptLengths() throws -> [Int] {
    try items.enumerated().map { index, item in
      guard let ids = item.promptIDs else { throw RolloutError.unknownIDs(completion: index) }
      return ids.count
    }
  }

  /// Whether a text has to be encoded before the completions can be scored.
  public var needsEncoding: Bool {
    items.contains { $0.ids == nil || $0.promptIDs == nil || $0.wantsEnd }
  }

  /// Prompts and completions for scoring; throws where one is known as text only.
  public func knownSequences() throws -> [TokenSequence] {
    try items.enumerated().map { index, item in
      guard let ids = item.ids, let promptIDs = item.promptIDs, !item.wantsEnd else {
        throw RolloutError.unknownIDs(completion: index)
      }
      return TokenSequence(prompt: promptIDs, completion: ids)
    }
  }

  /// Encodes what is known only as text.
  public func encode(with tokenizer: Tokenizer, end: Int?) throws {
    for index in items.indices {
      if index % 256 == 255 { try Interrupt.check() }
      do {
        try items[index].encode(with: tokenizer, end: end)
      } catch {
        throw RolloutError.record(index, error)
      }
    }
  }

  // MARK: Text

  /// The text of a completion as a continuation of the prompt's, without end token, special tokens
  /// and stop string.
  public func text(_ index: Int) throws -> String? {
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
  public func prompt(_ index: Int) throws -> String? {
    if let prompt = items[index].prompt { return prompt }
    guard let tokenizer, let ids = items[index].promptIDs else { return nil }
    let prompt = try tokenizer.decode(ids, skipSpecialTokens: true)
    items[index].prompt = prompt
    return prompt
  }

  // MARK: Between tokens and completions

  /// The sum over each completion: [tokens] to [B].
  public func sum(_ tensor: Tensor) throws -> Tensor { try .segmentSum(tensor, lengths: lengths()) }

  /// The mean over each completion, 0 for one without tokens: [tokens] to [B].
  public func mean(_ tensor: Tensor) throws -> Tensor {
    let lengths = try lengths()
    let factors = Tensor(lengths.map { 1 / Float(max(1, $0)) }, shape: [lengths.count])
    return try Tensor.segmentSum(tensor, lengths: lengths) * factors
  }

  /// Repeats each completion's value over its tokens: [B] to [tokens].
  public func expand(_ tensor: Tensor) throws -> Tensor {
    try .segmentExpand(tensor, lengths: lengths())
  }

  /// The sampler's records, tokens concatenated, if `model` would compute exactly these: it still
  /// has the weights that sampled and uses the same `temperature`. Top-k and the like do not
  /// matter, because records are taken before them.
  public func sampled(by model: Transformer, temperature: Double) -> [Float]? {
    guard let origin, temperature == self.temperature, origin == model.weightStamp else {
      return nil
    }
    return items.flatMap { $0.logProbabilities ?? [] }
  }

  /// Sampled ln p of each completion; nil for a recorded one.
  public func logProbability(_ index: Int) -> Float? {
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
    guard let end else { throw RolloutError.noEndToken }
    ids?.append(end)
    finishReason = "eos"
    wantsEnd = false
  }

  /// The ids of a continuation: taken from the encoding of both texts together if that starts with
  /// the prompt's ids, because a tokenizer may treat the start of a text differently.
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

/// What is wrong with a rollout.
public enum RolloutError: Error {
  /// The completion at an index is known as text only.
  case unknownIDs(completion: Int)
  /// There is no token that ends a text.
  case noEndToken
  /// The text at an index cannot be encoded.
  indirect case record(Int, any Error)
}
