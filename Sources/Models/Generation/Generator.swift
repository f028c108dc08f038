import Tensors

// Batched sampling: n samples per prompt share one pass over it, finished sequences leave the batch, waiting prompts enter.
//
// A step is one pass over the newest token of every running sequence and, where there is room, over whole prompts that
// enter: so prompts are never computed a few at a time, and the batch stays full as long as prompts wait. A token is a
// function of the model, its prompt and (seed, step, row, sample, position): products and attention give a row the same
// bits in any batch, and random numbers are counted, not drawn in order. So prompts may enter in any order, and those
// whose completions may become the longest come first.

/// Samples completions of prompts from a model.
public final class Generator {
  /// Tokens of prompts that enter at a time.
  private static let enteringTokens = 4096

  private let model: Transformer
  private let options: SamplingOptions
  private let endings: CompletionEndings
  private let tokenizer: Tokenizer?
  private let maxSequences: Int?
  private let sampler: TokenSampler
  private let cache: KVCache
  private let pass: CacheBatch
  private var requests: [GenerationRequest] = []
  /// Requests that have not entered, the next one last.
  private var waiting: [Int] = []
  /// Sequences that have their first token; as many as fit into the cache are decoded, from the front.
  private var running: [RunningSequence] = []
  private var completions: [[Completion]] = []
  // Memory that steps reuse.
  private var tokens: [Int] = []
  private var places: [TokenPlace] = []
  private var drawn: [SampledToken] = []

  /// - Parameters:
  ///   - endTokens: ids that end a completion; ignored where the options say so.
  ///   - tokenizer: decodes the text in which stop strings are looked for; nil where there are none.
  ///   - step: tells calls with the same seed apart.
  ///   - maxSequences: how many run at a time; by default as the memory of their cache allows.
  public init(
    _ model: Transformer, _ options: SamplingOptions, endTokens: Set<Int>,
    tokenizer: Tokenizer? = nil, seed: UInt64, step: UInt64, maxSequences: Int? = nil
  ) {
    self.model = model
    self.options = options
    endings = CompletionEndings(options, endTokens: endTokens)
    self.tokenizer = options.stop.isEmpty ? nil : tokenizer
    self.maxSequences = maxSequences
    sampler = TokenSampler(options, seed: seed, step: step)
    cache = KVCache(model)
    pass = CacheBatch(cache)
  }

  /// `options.n` completions of every prompt, in order. Throws on prompts that are empty or do not fit the context.
  public func generate(_ requests: [GenerationRequest]) throws -> [[Completion]] {
    try check(requests)
    self.requests = requests
    running = []
    completions = requests.map { _ in [Completion](repeating: Completion(), count: options.n) }
    waiting = requests.indices.sorted {
      (limit(requests[$1]), $0) < (limit(requests[$0]), $1)
    }.reversed()
    let capacity = capacity(requests)
    return try withPackedWeights {
      try withoutGradients {
        while !waiting.isEmpty || !running.isEmpty {
          try Interrupt.check()
          try step(capacity)
        }
        return completions
      }
    }
  }

  private func limit(_ request: GenerationRequest) -> Int {
    request.maxTokens ?? options.maxTokens
  }

  private func check(_ requests: [GenerationRequest]) throws {
    let context = model.configuration.maxPositions
    for (index, request) in requests.enumerated() {
      guard !request.prompt.isEmpty else {
        throw TensorError("generate: prompt \(index + 1) is empty; at least one token expected")
      }
      guard request.prompt.count + limit(request) <= context else {
        throw TensorError(
          "generate: prompt \(index + 1) has \(request.prompt.count) tokens, which with max_tokens = "
            + "\(limit(request)) exceeds the model's context of \(context) "
            + "(\(model.configuration.architecture.keys.context))")
      }
    }
  }

  /// Sequences that run at a time.
  private func capacity(_ requests: [GenerationRequest]) -> Int {
    let longest = requests.reduce(0) { max($0, $1.prompt.count + limit($1)) }
    return maxSequences
      ?? Self.capacity(model.configuration, model.keyValueType, longest: longest)
  }

  /// Sequences of up to `longest` tokens that run at a time: as many as a gigabyte of cache holds, from 8 to 256.
  static func capacity(
    _ configuration: ModelConfiguration, _ type: KeyValueType, longest: Int
  ) -> Int {
    let bytes = KVCache.bytesPerToken(configuration, type) * longest
    return max(8, min(256, (1 << 30) / max(1, bytes)))
  }

  /// One more token for every running sequence that fits, and the first tokens of prompts that enter.
  private func step(_ capacity: Int) throws {
    let decoded = min(running.count, capacity)
    let entering = admitted(capacity)
    let batch = try begin(decoded, entering)
    let last = batch.entering.isEmpty ? nil : batch.ragged.lastRows
    let hidden = try model.hiddenStates(tokens, batch.ragged, kept: last, cache: pass)
    let logits = try Tensor.linear(hidden, model.lmHead)
    places.removeAll(keepingCapacity: true)
    for (row, sequence) in running[..<decoded].enumerated() {
      places.append(sequence.place(logits: row))
    }
    for (i, (index, sequence)) in zip(entering, batch.entering).enumerated() {
      for fresh in try started(index, sequence) {
        running.append(fresh)
        places.append(fresh.place(logits: decoded + i))
      }
    }
    try sampler.sample(logits, places, into: &drawn)
    for (sequence, token) in zip(running, drawn) { try append(token, to: sequence) }
    running.removeAll { $0.isFinished }
  }

  /// Takes the prompts that enter now from those that wait.
  private func admitted(_ capacity: Int) -> [Int] {
    var entering: [Int] = []
    var tokens = 0
    while let next = waiting.last, tokens < Self.enteringTokens,
      entering.count * options.n + running.count < capacity
    {
      entering.append(next)
      tokens += requests[next].prompt.count
      waiting.removeLast()
    }
    return entering
  }

  /// Lays out a pass over the newest tokens of the first `decoded` running sequences and over the entering prompts.
  private func begin(
    _ decoded: Int, _ entering: [Int]
  ) throws -> (ragged: RaggedBatch, entering: [KVCache.Sequence]) {
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
    var fresh: [KVCache.Sequence] = []
    for index in entering {
      let prompt = requests[index].prompt
      let sequence = cache.newSequence()
      try pass.add(sequence, length: prompt.count)
      tokens += prompt
      lengths.append(prompt.count)
      past.append(0)
      fresh.append(sequence)
    }
    return (RaggedBatch(lengths: lengths, past: past), fresh)
  }

  /// The samples of a prompt that was computed, which share its part of the cache.
  private func started(
    _ index: Int, _ sequence: KVCache.Sequence
  ) throws -> [RunningSequence] {
    let request = requests[index]
    let decoder = try tokenizer.map {
      try StreamDecoder($0, after: request.prompt, skipSpecialTokens: true, ignoringUnknown: true)
    }
    return (0..<options.n).map { sample in
      RunningSequence(
        index, request, sample: sample, limit: limit(request),
        cached: options.n == 1 ? sequence : sequence.fork(), search: endings.texts.search(),
        decoder: decoder)
    }
  }

  /// Adds a token to its completion, which is kept when it has ended.
  private func append(_ token: SampledToken, to sequence: RunningSequence) throws {
    guard try sequence.append(token, endings) else { return }
    completions[sequence.request][sequence.sample] = sequence.completion
  }
}
