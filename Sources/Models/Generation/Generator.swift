import Core
import Tensors
import Text

// Batched sampling: n samples per prompt share one pass over it, finished sequences leave the
// batch, waiting prompts enter.
//
// A step is one pass over the newest token of every running sequence and, where there is room, over
// whole prompts that enter: so prompts are never computed a few at a time, and the batch stays full
// as long as prompts wait. Between such steps threads decode sequences of their own, where there
// are enough (see Generator+Lanes.swift). A token is a function of the model, its prompt and (seed,
// step, row, sample, position): products and attention give a row the same bits in any batch, and
// random numbers are counted, not drawn in order. So prompts may enter in any order, and those
// whose completions may become the longest come first.

/// Samples completions of prompts from a model.
public final class Generator {
  /// Most prompt tokens that are prefilled in a step.
  static let enteringTokens = 4096

  private let model: Transformer
  private let options: SamplingOptions
  private let endings: CompletionEndings
  private let tokenizer: Tokenizer?
  private let maxSequences: Int?
  private let cache: KVCache
  /// One for each thread; the first also decodes all sequences together.
  let lanes: [DecodingLane]
  /// Least running sequences per lane.
  let rowsPerLane: Int
  private var requests: [GenerationRequest] = []
  /// Requests that wait, the next one last.
  private(set) var waiting: [Int] = []
  private var completions: [[Completion]] = []

  /// - Parameters:
  ///   - endTokens: ids that end a completion; ignored where the options say so.
  ///   - tokenizer: decodes the text in which stop strings are looked for; nil where there are
  ///     none.
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
    rowsPerLane = Self.rowsPerLane(model)
    let (cache, endings) = (KVCache(model), endings)
    self.cache = cache
    lanes = (0..<Team.shared.threads).map { _ in
      DecodingLane(model, cache, endings, TokenSampler(options, seed: seed, step: step))
    }
  }

  /// Sequences that have their first token; as many as fit into the cache are decoded, from the
  /// front.
  var running: [RunningSequence] {
    get { lanes[0].running }
    set { lanes[0].running = newValue }
  }

  /// `options.n` completions of every prompt, in order. Throws on prompts that are empty, do not
  /// fit the context or have unknown tokens.
  public func generate(_ requests: [GenerationRequest]) throws -> [[Completion]] {
    try check(requests)
    self.requests = requests
    completions = requests.map { _ in [Completion](repeating: Completion(), count: options.n) }
    waiting = requests.indices.sorted {
      (limit(requests[$1]), $0) < (limit(requests[$0]), $1)
    }.reversed()
    let capacity = capacity(requests)
    if !requests.isEmpty { try model.packWeights() }
    return try withoutGradients {
      while !waiting.isEmpty || !running.isEmpty {
        try Interrupt.check()
        if hasWorkForLanes(capacity) { try decodeInLanes(capacity) } else { try step(capacity) }
        for sequence in lanes.flatMap({ $0.takeFinished() }) {
          completions[sequence.request][sequence.sample] = sequence.completion
        }
      }
      return completions
    }
  }

  private func limit(_ request: GenerationRequest) -> Int {
    request.maxTokens ?? options.maxTokens
  }

  private func check(_ requests: [GenerationRequest]) throws {
    let context = model.configuration.maxPositions
    for (index, request) in requests.enumerated() {
      let (prompt, limit) = (request.prompt, limit(request))
      if prompt.isEmpty { throw ModelError.prompt(index, .empty) }
      guard prompt.count + limit <= context else {
        throw ModelError.prompt(
          index,
          .noRoom(
            prompt.count, maxTokens: limit, context: context,
            setting: model.configuration.contextKey))
      }
      if let fault = model.unknownToken(in: prompt) { throw ModelError.prompt(index, fault) }
    }
  }

  /// Most sequences that run at a time (vLLM's `max_num_seqs`).
  private func capacity(_ requests: [GenerationRequest]) -> Int {
    let longest = requests.reduce(0) { max($0, $1.prompt.count + limit($1)) }
    return maxSequences
      ?? Self.capacity(model.configuration.architecture, model.keyValueType, longest: longest)
  }

  /// Sequences of up to `longest` tokens that run at a time: as many as a gigabyte of cache holds,
  /// from 8 to 256.
  static func capacity(
    _ architecture: Architecture, _ type: ScalarType, longest: Int
  ) -> Int {
    let bytes = KVCache.bytesPerToken(architecture, type) * longest
    return max(8, min(256, (1 << 30) / max(1, bytes)))
  }

  /// One more token for every running sequence that fits, and the first tokens of prompts that
  /// enter.
  private func step(_ capacity: Int) throws {
    let decoded = min(running.count, capacity)
    let entering = admitted(capacity).map { index in
      EnteringPrompt(tokens: requests[index].prompt, cached: cache.newSequence()) { [self] in
        try started(index, $0)
      }
    }
    try lanes[0].step(decoded: decoded, entering: entering)
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

  /// The samples of a prompt that was computed, which share its part of the cache.
  private func started(
    _ index: Int, _ sequence: KVCache.Sequence
  ) throws -> [RunningSequence] {
    let request = requests[index]
    let decoder = try tokenizer.map {
      try StreamDecoder($0, after: request.prompt, skipSpecialTokens: true)
    }
    return (0..<options.n).map { sample in
      RunningSequence(
        index, request, sample: sample, limit: limit(request),
        cached: options.n == 1 ? sequence : sequence.fork(), search: endings.texts.search(),
        decoder: decoder)
    }
  }
}
