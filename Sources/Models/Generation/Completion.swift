/// Why a completion ended.
public enum FinishReason: String, Sendable {
  /// An end token was sampled; it is the last of the ids.
  case eos
  /// A stop string appeared, or a stop token; the ids end with the token that brought it, the text
  /// ends before it.
  case stop
  /// `max_tokens` were sampled.
  case length
}

/// What ended a completion whose `finishReason` is `stop`.
public enum StopReason: Sendable, Equatable {
  /// A stop string.
  case text(String)
  /// A stop token.
  case token(Int)
}

/// One sampled continuation of a prompt.
public struct Completion: Sendable {
  /// The sampled tokens, an end token included.
  public var ids: [Int]
  /// ln p of every token under softmax(logits / temperature), as `logProbabilities` computes it, to
  /// the bit.
  public var logProbabilities: [Float]
  /// Why it ended.
  public var finishReason: FinishReason
  /// The stop string or stop token that ended it, if one did.
  public var stopReason: StopReason?
  /// Bytes of the text before the stop string, where one ended the completion.
  public var stoppedTextLength: Int?

  /// A completion without tokens.
  init() {
    (ids, logProbabilities, finishReason) = ([], [], .length)
  }
}

/// A prompt to sample from, with the key that its random numbers depend on.
public struct GenerationRequest: Sendable {
  /// Token ids, at least one.
  public let prompt: [Int]
  /// The key of its random numbers: the row's index in a dataset, or a hash of the prompt.
  public let row: UInt64
  /// Number of the first sample.
  public let firstSample: Int
  /// Overrides `max_tokens` of the options for this prompt.
  public let maxTokens: Int?

  /// A prompt whose samples are numbered from `firstSample` under key `row`.
  public init(prompt: [Int], row: UInt64, firstSample: Int = 0, maxTokens: Int? = nil) {
    self.prompt = prompt
    self.row = row
    self.firstSample = firstSample
    self.maxTokens = maxTokens
  }
}
