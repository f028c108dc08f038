import Tensors

// Sequences that are decoded together: a step is one pass over the newest token of each.

/// A prompt that is prefilled in this step.
struct EnteringPrompt {
  let tokens: [Int]
  /// Its empty cache.
  let cached: KVCache.Sequence
  /// The samples of the prompt, once the cache holds it.
  let samples: (KVCache.Sequence) throws -> [RunningSequence]
}

/// Sequences that are decoded together, and the memory that steps reuse.
///
/// Lanes share no mutable state but the cache's free pages, so that threads can run one each.
final class DecodingLane {
  private let model: Transformer
  private let endings: CompletionEndings
  private let sampler: TokenSampler
  private let pass: CacheBatch
  /// Sequences that have their first token.
  var running: [RunningSequence] = []
  /// Finished sequences, until `takeFinished`.
  private(set) var finished: [RunningSequence] = []
  /// The input tokens of the last pass.
  private(set) var tokens: [Int] = []
  private var places: [TokenPlace] = []
  private var drawn: [SampledToken] = []

  init(
    _ model: Transformer, _ cache: KVCache, _ endings: CompletionEndings, _ sampler: TokenSampler
  ) {
    self.model = model
    self.endings = endings
    self.sampler = sampler
    pass = CacheBatch(cache)
  }

  /// Samples one more token for each of the first `decoded` running sequences, and the first tokens
  /// of entering prompts.
  func step(decoded: Int, entering: [EnteringPrompt] = []) throws {
    let batch = try begin(decoded, entering)
    let last = entering.isEmpty ? nil : batch.lastRows
    let hidden = try model.hiddenStates(tokens, batch, outputRows: last, cache: pass)
    let logits = try Tensor.linear(hidden, model.lmHead)
    places.removeAll(keepingCapacity: true)
    for (row, sequence) in running[..<decoded].enumerated() {
      places.append(sequence.place(logits: row))
    }
    for (i, prompt) in entering.enumerated() {
      for sample in try prompt.samples(prompt.cached) {
        running.append(sample)
        places.append(sample.place(logits: decoded + i))
      }
    }
    try sampler.sample(logits, places, into: &drawn)
    for (sequence, token) in zip(running, drawn) where try sequence.append(token, endings) {
      finished.append(sequence)
    }
    running.removeAll { $0.isFinished }
  }

  /// Lays out a pass over the newest tokens of the first `decoded` running sequences and over the
  /// entering prompts.
  private func begin(_ decoded: Int, _ entering: [EnteringPrompt]) throws -> RaggedBatch {
    var lengths = [Int](repeating: 1, count: decoded)
    var past: [Int] = []
    past.reserveCapacity(decoded + entering.count)
    tokens.removeAll(keepingCapacity: true)
    pass.begin()
    for sequence in running[..<decoded] {
      tokens.append(sequence.completion.ids.last ?? 0)
      past.append(sequence.cached.length)
      try pass.add(sequence.cached, length: 1)
    }
    for prompt in entering {
      try pass.add(prompt.cached, length: prompt.tokens.count)
      tokens += prompt.tokens
      lengths.append(prompt.tokens.count)
      past.append(0)
    }
    return RaggedBatch(lengths: lengths, past: past)
  }

  /// Returns the running sequences and releases them.
  func leave() -> [RunningSequence] {
    defer { running = [] }
    pass.begin()
    return running
  }

  /// Returns the sequences that have finished since the last call.
  func takeFinished() -> [RunningSequence] {
    defer { finished.removeAll(keepingCapacity: true) }
    return finished
  }
}
