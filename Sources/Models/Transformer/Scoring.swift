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
  /// ln p of every completion token (row 1) and, where asked for, the entropy of its distribution (row 2): [2, M].
  ///
  /// Tokens of all completions follow each other. Logits are divided by `temperature`. In a graph, the activations of all
  /// sequences are kept for backward(), unless `microBatch` says how many sequences to hold at a time: then backward()
  /// computes them again, group by group, and gives the same gradient.
  public func logProbabilities(
    _ sequences: [TokenSequence], temperature: Float = 1, entropy: Bool = false,
    microBatch: Int? = nil
  ) throws -> Tensor {
    try check(sequences)
    guard Tensor.records(parameters.map(\.tensor)) else {
      return try withoutGradients {
        try score(grouped(sequences, size: nil), temperature, entropy)
      }
    }
    guard let microBatch, microBatch < sequences.count else {
      return try score(sequences, temperature, entropy)
    }
    let groups = grouped(sequences, size: microBatch)
    let output = try withoutGradients { try score(groups, temperature, entropy) }
    let versions = parameters.map(\.tensor.storage.version)
    return Tensor.recorded("logprobs", parameters.map(\.tensor), output) { gradient, _ in
      guard versions == self.parameters.map(\.tensor.storage.version) else {
        throw TensorError("backward: weights of the model were changed in place after 'logprobs'")
      }
      try self.recompute(groups, temperature, entropy, gradient, total: output.shape[1])
    }
  }

  private func check(_ sequences: [TokenSequence]) throws {
    for (index, sequence) in sequences.enumerated() {
      do {
        try check(sequence)
      } catch {
        throw TensorError("logprobs: completion \(index + 1): \(error)")
      }
    }
  }

  private func check(_ sequence: TokenSequence) throws(TensorError) {
    guard !sequence.prompt.isEmpty else { throw TensorError("the prompt is empty") }
    let vocabulary = configuration.vocabularySize
    for ids in [sequence.prompt, sequence.completion] {
      for id in ids where id < 0 || id >= vocabulary {
        throw TensorError("token id \(id) is outside of 0..\(vocabulary - 1)")
      }
    }
    // The last token is predicted and not read.
    let count = sequence.prompt.count + sequence.completion.count - 1
    guard sequence.completion.isEmpty || count <= configuration.maxPositions else {
      throw tooLong(count)
    }
  }

  /// One forward pass over whole sequences; the last token of each predicts nothing that is asked for.
  private func score(_ sequences: [TokenSequence], _ temperature: Float, _ entropy: Bool) throws
    -> Tensor
  {
    let asked = sequences.filter { !$0.completion.isEmpty }
    guard !asked.isEmpty else { return Tensor(zeros: [2, 0]) }
    let lengths = asked.map { $0.prompt.count + $0.completion.count - 1 }
    let batch = RaggedBatch(lengths: lengths)
    let tokens = asked.flatMap { $0.prompt + $0.completion.dropLast() }
    let hidden = try hiddenStates(tokens, batch)
    let rows = asked.indices.flatMap { s in
      (batch.offsets[s] + asked[s].prompt.count - 1)..<batch.offsets[s + 1]
    }
    return try .tokenLogProbabilities(
      hidden, weight: lmHead, TokenTargets(rows: rows, targets: asked.flatMap(\.completion)),
      temperature: temperature, entropy: entropy)
  }

  private func score(_ groups: [[TokenSequence]], _ temperature: Float, _ entropy: Bool) throws
    -> Tensor
  {
    let total = groups.joined().reduce(0) { $0 + $1.completion.count }
    let output = try Tensor.zeroResult([2, total], for: "logprobs")
    var start = 0
    for group in groups {
      let part = try score(group, temperature, entropy)
      let count = part.shape[1]
      (output.pointer + start).update(from: part.pointer, count: count)
      (output.pointer + total + start).update(from: part.pointer + count, count: count)
      start += count
    }
    return output
  }

  private func recompute(
    _ groups: [[TokenSequence]], _ temperature: Float, _ entropy: Bool,
    _ gradient: UnsafePointer<Float>, total: Int
  ) throws {
    var start = 0
    for group in groups {
      let part = try withGradients { try score(group, temperature, entropy) }
      let count = part.shape[1]
      guard count > 0 else { continue }
      let seed = try Tensor.result([2, count], for: "backward")
      seed.pointer.update(from: gradient + start, count: count)
      (seed.pointer + count).update(from: gradient + total + start, count: count)
      try part.backward(seed: seed)
      start += count
    }
  }

  /// Consecutive groups of `size` sequences, or of about 4096 tokens where no size is given.
  private func grouped(_ sequences: [TokenSequence], size: Int?) -> [[TokenSequence]] {
    var result: [[TokenSequence]] = []
    var tokens = 0
    for sequence in sequences {
      let full = size.map { result.last?.count == $0 } ?? (tokens >= 4096)
      if result.isEmpty || full {
        result.append([])
        tokens = 0
      }
      result[result.count - 1].append(sequence)
      tokens += sequence.prompt.count + sequence.completion.count
    }
    return result
  }
}
