import Tensors

// Log-probabilities of given completions under a model.

/// A prompt and a completion as token ids.
public struct TokenSequence: Sendable {
  /// Tokens that are given.
  public let prompt: [Int]
  /// Tokens whose log-probability is asked for.
  public let completion: [Int]

  /// A prompt of at least one token and its completion.
  public init(prompt: [Int], completion: [Int]) {
    self.prompt = prompt
    self.completion = completion
  }
}

extension Transformer {
  /// ln p of every completion token (row 1) and, where asked for, the entropy of its distribution
  /// (row 2): [2, M].
  ///
  /// The completions' tokens are concatenated. Logits are divided by `temperature`. In a graph, the
  /// activations of all sequences are kept for backward(), unless `microBatch` says how many
  /// sequences to hold at a time: then backward() computes them again, group by group, and gives
  /// the same gradient.
  ///
  /// `sampled` are the log-probabilities of all tokens where the caller has them from a sampler
  /// with just these weights (see `weightStamp`) at this temperature. They are then the result,
  /// since scoring would give the same bits. Only backward() computes the layers, about
  /// `groupTokens` tokens at a time without a `microBatch`, and throws if it finds other values.
  public func logProbabilities(
    _ sequences: [TokenSequence], temperature: Float = 1, entropy: Bool = false,
    microBatch: Int? = nil, sampled: [Float]? = nil
  ) throws -> Tensor {
    try checkSequences(sequences, for: "logprobs")
    return try scored(
      sequences, parameters, rows: 2, microBatch: microBatch,
      known: entropy ? nil : sampled, name: "logprobs"
    ) {
      guard let (hidden, ids) = try self.completionStates($0) else {
        return Tensor(zeros: [2, 0])
      }
      let targets = TokenTargets(rows: Array(ids.indices), ids: ids)
      return try .tokenLogProbabilities(
        hidden, weight: self.lmHead, targets, temperature: temperature, entropy: entropy)
    }
  }

  /// Throws unless every sequence has a prompt, ids of the vocabulary, and fits into the context.
  func checkSequences(_ sequences: [TokenSequence], for function: String) throws {
    for (index, sequence) in sequences.enumerated() {
      if let fault = fault(of: sequence) {
        throw ModelError.completion(index, function: function, fault)
      }
    }
  }

  private func fault(of sequence: TokenSequence) -> ModelError.SequenceFault? {
    if sequence.prompt.isEmpty { return .empty }
    for ids in [sequence.prompt, sequence.completion] {
      if let fault = unknownToken(in: ids) { return fault }
    }
    // The last token is a target only, not an input.
    let count = sequence.prompt.count + sequence.completion.count - 1
    return sequence.completion.isEmpty ? nil : tooLong(count)
  }

  /// One forward pass over whole sequences: the hidden state that predicts each completion token
  /// [M, C], and these tokens; nil without any. The last token of a sequence is not an input.
  func completionStates(_ sequences: [TokenSequence]) throws -> (Tensor, targets: [Int])? {
    let scored = sequences.filter { !$0.completion.isEmpty }
    guard !scored.isEmpty else { return nil }
    let lengths = scored.map { $0.prompt.count + $0.completion.count - 1 }
    let batch = RaggedBatch(lengths: lengths)
    let tokens = scored.flatMap { $0.prompt + $0.completion.dropLast() }
    let rows = scored.indices.flatMap { s in
      (batch.offsets[s] + scored[s].prompt.count - 1)..<batch.offsets[s + 1]
    }
    return (try hiddenStates(tokens, batch, outputRows: rows), scored.flatMap(\.completion))
  }
}
