import Kernels
import Tensors

// Batched sampling: n samples per prompt share one pass over it, finished sequences leave the batch, waiting prompts enter.
//
// A token is a function of the model, its prompt and (seed, step, row, sample, position): products and attention give a
// row the same bits in any batch, and random numbers are counted, not drawn in order.

/// Samples completions of prompts from a model.
public final class Generator {
  private let model: Transformer
  private let options: SamplingOptions
  private let endTokens: Set<Int>
  private let stops: StopStrings
  private let tokenizer: Tokenizer?
  private let seed: UInt64
  private let step: UInt64
  private let cache: KVCache
  /// Sequences that have their first token; as many as fit into the cache are decoded, from the front.
  private var running: [Running] = []
  private var completions: [[Completion]] = []

  /// A sequence that is being sampled.
  private struct Running {
    let request: Int
    let sample: Int
    let sequence: KVCache.Sequence
    var search: StopStrings.Search
    var decoder: StreamDecoder?
  }

  /// - Parameters:
  ///   - endTokens: ids that end a completion; ignored where the options say so.
  ///   - tokenizer: decodes the text in which stop strings are looked for; nil where there are none.
  ///   - step: tells calls with the same seed apart.
  public init(
    _ model: Transformer, _ options: SamplingOptions, endTokens: Set<Int>,
    tokenizer: Tokenizer? = nil, seed: UInt64, step: UInt64
  ) {
    self.model = model
    self.options = options
    self.endTokens = options.ignoreEOS ? [] : endTokens
    self.tokenizer = options.stop.isEmpty ? nil : tokenizer
    self.seed = seed
    self.step = step
    stops = StopStrings(options.stop)
    cache = KVCache(model.configuration)
  }

  /// `options.n` completions of every prompt, in order. Throws on prompts that are empty or do not fit the context.
  public func generate(_ requests: [GenerationRequest]) throws -> [[Completion]] {
    try check(requests)
    running = []
    completions = requests.map { _ in
      (0..<options.n).map { _ in
        Completion(ids: [], logProbabilities: [], finishReason: .length, stoppedTextLength: nil)
      }
    }
    var waiting = ArraySlice(requests.indices)
    let capacity = capacity(requests)
    return try withPackedWeights {
      try withoutGradients {
        while !waiting.isEmpty || !running.isEmpty {
          try Interrupt.check()
          try admit(&waiting, requests, capacity)
          if !running.isEmpty { try decode(requests, capacity) }
        }
        return completions
      }
    }
  }

  private func check(_ requests: [GenerationRequest]) throws {
    let context = model.configuration.maxPositions
    for (index, request) in requests.enumerated() {
      guard !request.prompt.isEmpty else {
        throw TensorError("generate: prompt \(index + 1) is empty; at least one token expected")
      }
      guard request.prompt.count + options.maxTokens <= context else {
        throw TensorError(
          "generate: prompt \(index + 1) has \(request.prompt.count) tokens, which with max_tokens = "
            + "\(options.maxTokens) exceeds the model's context of \(context) "
            + "(\(model.configuration.architecture.keys.context))")
      }
    }
  }

  /// Sequences that run at a time: as many as a gigabyte of cache holds, from 8 to 256.
  private func capacity(_ requests: [GenerationRequest]) -> Int {
    let longest = requests.reduce(0) { max($0, $1.prompt.count) } + options.maxTokens
    return Self.capacity(model.configuration, longest: longest)
  }

  /// Sequences of up to `longest` tokens that run at a time.
  static func capacity(_ configuration: ModelConfiguration, longest: Int) -> Int {
    let bytes = KVCache.bytesPerToken(configuration) * longest
    return max(8, min(256, (1 << 30) / max(1, bytes)))
  }

  /// Lets waiting prompts enter: one pass over their tokens, then the first token of each of their samples.
  private func admit(
    _ waiting: inout ArraySlice<Int>, _ requests: [GenerationRequest], _ capacity: Int
  ) throws {
    var entering: [Int] = []
    var tokens = 0
    while let next = waiting.first, tokens < 4096,
      entering.count * options.n + running.count < capacity
    {
      entering.append(next)
      tokens += requests[next].prompt.count
      waiting.removeFirst()
    }
    guard !entering.isEmpty else { return }
    let prompts = entering.map { requests[$0].prompt }
    let sequences = prompts.map { _ in cache.newSequence() }
    let batch = RaggedBatch(lengths: prompts.map(\.count))
    let hidden = try model.hiddenStates(
      prompts.flatMap { $0 }, batch,
      cache: CacheBatch(cache, sequences, lengths: prompts.map(\.count)))
    let last = entering.indices.map { batch.offsets[$0 + 1] - 1 }
    let logits = try lastLogits(hidden, rows: last)
    let fresh = try entering.indices.flatMap { i in
      let decoder = try tokenizer.map {
        try StreamDecoder($0, after: prompts[i], skipSpecialTokens: true, ignoringUnknown: true)
      }
      return (0..<options.n).map { sample in
        Running(
          request: entering[i], sample: sample, sequence: sequences[i].fork(),
          search: stops.search(), decoder: decoder)
      }
    }
    let rows = entering.indices.flatMap { i in repeatElement(i, count: options.n) }
    try extend(fresh, logits: logits, rows: rows, requests)
  }

  /// One more token for every running sequence that fits.
  private func decode(_ requests: [GenerationRequest], _ capacity: Int) throws {
    let later = running.dropFirst(capacity)
    running = Array(running.prefix(capacity))
    let batch = RaggedBatch(
      lengths: running.map { _ in 1 }, past: running.map { $0.sequence.length })
    let newest = running.map { completions[$0.request][$0.sample].ids.last ?? 0 }
    let hidden = try model.hiddenStates(
      newest, batch,
      cache: CacheBatch(cache, running.map(\.sequence), lengths: running.map { _ in 1 }))
    let logits = try Tensor.linear(hidden, model.lmHead)
    let before = running
    running = []
    try extend(before, logits: logits, rows: Array(before.indices), requests)
    running += later
  }

  private func lastLogits(_ hidden: Tensor, rows: [Int]) throws -> Tensor {
    let width = hidden.shape[1]
    let last = try Tensor.result([rows.count, width], for: "generate")
    for (i, row) in rows.enumerated() {
      (last.pointer + i * width).update(from: hidden.pointer + row * width, count: width)
    }
    return try .linear(last, model.lmHead)
  }

  /// Samples a token for each sequence from its row of the logits; those that do not end go on running.
  private func extend(
    _ sequences: [Running], logits: Tensor, rows: [Int], _ requests: [GenerationRequest]
  ) throws {
    let places = sequences.enumerated().map { i, sequence in
      let request = requests[sequence.request]
      return TokenPlace(
        logits: rows[i], prompt: sequence.request + 1, row: request.row,
        sample: request.firstSample + sequence.sample,
        position: completions[sequence.request][sequence.sample].ids.count)
    }
    let drawn = try sampleTokens(logits, places, options, seed: seed, step: step)
    for (var sequence, token) in zip(sequences, drawn) {
      if try !append(token, to: &sequence) { running.append(sequence) }
    }
  }

  /// Adds a token to its completion and says whether that ended it.
  private func append(_ token: SampledToken, to sequence: inout Running) throws -> Bool {
    var completion = completions[sequence.request][sequence.sample]
    completion.ids.append(token.id)
    completion.logProbabilities.append(token.logProbability)
    var ended = completion.ids.count == options.maxTokens
    if endTokens.contains(token.id) {
      completion.finishReason = .eos
      ended = true
    } else if options.stopTokenIDs.contains(token.id) {
      completion.finishReason = .stop
      ended = true
    } else if let text = try sequence.decoder?.feed(token.id),
      let length = stops.feed(text.utf8, &sequence.search)
    {
      completion.finishReason = .stop
      completion.stoppedTextLength = length
      ended = true
    }
    completions[sequence.request][sequence.sample] = completion
    return ended
  }
}
