// A completion while it is being sampled.

import Text

/// What ends a completion besides its length.
struct CompletionEndings {
  let endTokens: Set<Int>
  let stopTokens: Set<Int>
  let texts: StopStrings

  /// The endings that the options ask for, and the model's end tokens unless they are ignored.
  init(_ options: SamplingOptions, endTokens: Set<Int>) {
    self.endTokens = options.ignoreEOS ? [] : endTokens
    stopTokens = options.stopTokenIDs
    texts = StopStrings(options.stop)
  }
}

/// A sequence that is being sampled, with its KV cache.
final class RunningSequence {
  /// Position of its request, and its number among the samples of that.
  let request, sample: Int
  let cached: KVCache.Sequence
  private(set) var completion = Completion()
  private(set) var isFinished = false
  private let row: UInt64
  private let number: Int
  private let limit: Int
  private var search: StopStrings.Search
  private var decoder: StreamDecoder?

  /// A sample of the request at `index` that ends after `limit` tokens; `decoder` is nil where
  /// there are no stop strings.
  init(
    _ index: Int, _ request: GenerationRequest, sample: Int, limit: Int, cached: KVCache.Sequence,
    search: StopStrings.Search, decoder: StreamDecoder?
  ) {
    self.request = index
    self.sample = sample
    self.cached = cached
    self.limit = limit
    self.search = search
    self.decoder = decoder
    row = request.row
    number = request.firstSample + sample
    let expected = min(limit, 256)
    completion.ids.reserveCapacity(expected)
    completion.logProbabilities.reserveCapacity(expected)
  }

  /// The row of logits and the random-number key of its next token.
  func place(logits: Int) -> TokenPlace {
    TokenPlace(
      logits: logits, prompt: request, row: row, sample: number,
      position: completion.ids.count)
  }

  /// Appends a token; true if that ends the completion.
  func append(_ token: SampledToken, _ endings: CompletionEndings) throws -> Bool {
    completion.ids.append(token.id)
    completion.logProbabilities.append(token.logProbability)
    isFinished = completion.ids.count == limit
    if endings.endTokens.contains(token.id) {
      end(.eos)
    } else if endings.stopTokens.contains(token.id) {
      completion.stopReason = .token(token.id)
      end(.stop)
    } else if let text = try decoder?.feed(token.id),
      let length = endings.texts.feed(text.utf8, &search)
    {
      completion.stopReason = search.found.map { .text($0) }
      completion.stoppedTextLength = length
      end(.stop)
    }
    return isFinished
  }

  private func end(_ reason: FinishReason) {
    completion.finishReason = reason
    isFinished = true
  }
}
