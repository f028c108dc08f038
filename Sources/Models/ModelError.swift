/// What went wrong in a model, as values: indices count from 0. `ApoLua` words it for scripts.
public enum ModelError: Error, Equatable, Sendable {
  /// A sequence of token ids whose logits are to be computed.
  case ids(SequenceFault)
  /// The prompt at an index, which is to be continued.
  case prompt(Int, SequenceFault)
  /// The prompt and completion at an index, which are to be scored by a function.
  case completion(Int, function: String, SequenceFault)
  /// Logits from which nothing can be sampled, after the prompt at an index.
  case sampling(prompt: Int, LogitsError)
  /// Log-probabilities that were given for another number of tokens.
  case sampledCount(Int, function: String, tokens: Int)
  /// A log-probability differs between backward() and the forward pass.
  case recomputed(Float, function: String, before: Float)
  /// Weights were changed in place between a function and its backward().
  case weightsChanged(function: String)
  /// A weight was frozen or unfrozen between a function and its backward().
  case trainabilityChanged(weight: String, isFrozen: Bool, function: String)
  /// The weights of a folder do not fit into memory; `asBFloat16` are the bytes of another type
  /// that would.
  case tooLarge(
    String, weights: Int, ScalarType, bytes: Int, available: Int, asBFloat16: Int?)
  /// The model's matrices are bfloat16, which collect no gradients.
  case notTrainable(operation: String)

  /// What is wrong with a sequence.
  public enum SequenceFault: Equatable, Sendable {
    /// There are no tokens.
    case empty
    /// An id is not in 0 ..< vocabulary.
    case unknownToken(Int, position: Int, vocabulary: Int)
    /// There are more tokens than positions, which the configuration's `setting` says.
    case tooLong(Int, context: Int, setting: String)
    /// A prompt leaves no room for a completion of `maxTokens`.
    case noRoom(Int, maxTokens: Int, context: Int, setting: String)
  }
}

/// Logits that define no distribution.
public enum LogitsError: Error, Equatable, Sendable {
  /// A token's logit is NaN or +infinity.
  case notFinite(token: Int, Float)
  /// All are -infinity.
  case allImpossible
  /// The largest over the temperature is infinite.
  case overflow(Float, temperature: Float)
}
