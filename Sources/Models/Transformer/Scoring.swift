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
    try checkSequences(sequences, for: "logprobs")
    return try scored(
      sequences, parameters.map(\.tensor), rows: 2, microBatch: microBatch, name: "logprobs"
    ) {
      guard let (hidden, asked) = try self.completionStates($0) else {
        return Tensor(zeros: [2, 0])
      }
      return try .tokenLogProbabilities(
        hidden, weight: self.lmHead, asked, temperature: temperature, entropy: entropy)
    }
  }

  /// `score` of all sequences, [rows, M], where M is the number of completion tokens, and of `parameters` its weights.
  ///
  /// In a graph `microBatch` says how many sequences to hold at a time: backward() computes the groups again.
  func scored(
    _ sequences: [TokenSequence], _ parameters: [Tensor], rows: Int, microBatch: Int?, name: String,
    by score: @escaping ([TokenSequence]) throws -> Tensor
  ) throws -> Tensor {
    guard Tensor.records(parameters) else {
      return try withoutGradients {
        try joined(grouped(sequences, size: nil), rows: rows, by: score)
      }
    }
    guard let microBatch, microBatch < sequences.count else { return try score(sequences) }
    let groups = grouped(sequences, size: microBatch)
    let output = try withoutGradients { try joined(groups, rows: rows, by: score) }
    let versions = parameters.map(\.storage.version)
    return Tensor.recorded(name, parameters, output) { gradient, _ in
      guard versions == parameters.map(\.storage.version) else {
        throw TensorError("backward: weights of the model were changed in place after '\(name)'")
      }
      try self.recompute(groups, gradient, shape: output.shape, by: score)
    }
  }

  /// Throws unless every sequence has a prompt, ids of the vocabulary and room in the context.
  func checkSequences(_ sequences: [TokenSequence], for function: String) throws {
    for (index, sequence) in sequences.enumerated() {
      do {
        try check(sequence)
      } catch {
        throw TensorError("\(function): completion \(index + 1): \(error)")
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

  /// One forward pass over whole sequences: hidden states [N, C], and the row before each completion token; nil without such
  /// tokens. The last token of a sequence predicts nothing that is asked for.
  func completionStates(_ sequences: [TokenSequence]) throws -> (Tensor, TokenTargets)? {
    let asked = sequences.filter { !$0.completion.isEmpty }
    guard !asked.isEmpty else { return nil }
    let lengths = asked.map { $0.prompt.count + $0.completion.count - 1 }
    let batch = RaggedBatch(lengths: lengths)
    let tokens = asked.flatMap { $0.prompt + $0.completion.dropLast() }
    let hidden = try hiddenStates(tokens, batch)
    let rows = asked.indices.flatMap { s in
      (batch.offsets[s] + asked[s].prompt.count - 1)..<batch.offsets[s + 1]
    }
    return (hidden, TokenTargets(rows: rows, targets: asked.flatMap(\.completion)))
  }

  /// The scores of groups side by side: [rows, M].
  private func joined(
    _ groups: [[TokenSequence]], rows: Int, by score: ([TokenSequence]) throws -> Tensor
  ) throws -> Tensor {
    let total = groups.joined().reduce(0) { $0 + $1.completion.count }
    let output = try Tensor.zeroResult([rows, total], for: "logprobs")
    var start = 0
    for group in groups {
      let part = try score(group)
      let count = part.shape[1]
      for row in 0..<rows {
        (output.pointer + row * total + start).update(
          from: part.pointer + row * count, count: count)
      }
      start += count
    }
    return output
  }

  private func recompute(
    _ groups: [[TokenSequence]], _ gradient: UnsafePointer<Float>, shape: [Int],
    by score: ([TokenSequence]) throws -> Tensor
  ) throws {
    let (rows, total) = (shape[0], shape[1])
    var start = 0
    for group in groups {
      let part = try withGradients { try score(group) }
      let count = part.shape[1]
      guard count > 0 else { continue }
      let seed = try Tensor.result([rows, count], for: "backward")
      for row in 0..<rows {
        (seed.pointer + row * count).update(from: gradient + row * total + start, count: count)
      }
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
