import Tensors

// Sequences that are decoded side by side: a step is one pass over the newest token of each.

/// A prompt that enters a lane.
struct EnteringPrompt {
  let tokens: [Int]
  /// Has seen nothing.
  let cached: KVCache.Sequence
  /// The samples of the prompt, once the cache holds it.
  let samples: (KVCache.Sequence) throws -> [RunningSequence]
}

/// Sequences that take their steps together, and the memory that steps reuse.
///
/// Lanes share nothing that changes but the cache's free pages, so that threads may run one each.
final class DecodingLane {
  private let model: Transformer
  private let endings: CompletionEndings
  private let sampler: TokenSampler
  private let pass: CacheBatch
  /// Sequences that have their first token.
  var running: [RunningSequence] = []
  /// What has ended, until it is taken.
  private(set) var finished: [RunningSequence] = []
  /// What the last pass read.
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

  /// One more token for each of the first `decoded` running sequences, and the first tokens of prompts that enter.
  ///
  /// Prompts enter where all running sequences are decoded.
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

  /// Lays out a pass over the newest tokens of the first `decoded` running sequences and over the entering prompts.
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

  /// Gives its sequences away and keeps nothing of them.
  func leave() -> [RunningSequence] {
    defer { running = [] }
    pass.begin()
    return running
  }

  /// What has ended since it was last asked for.
  func takeFinished() -> [RunningSequence] {
    defer { finished.removeAll(keepingCapacity: true) }
    return finished
  }
}
