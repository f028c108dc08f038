import TestSupport
import Testing

@testable import Models
@testable import Tensors

/// What has to be equal to the bit: a token decoded from the cache and in a whole sequence, a
/// sequence alone and in a batch.
@Suite(.serialized, .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct BitEqualityTests {
  private func tokens(_ count: Int, _ seed: Int) -> [Int] {
    (0..<count).map { 3 + ($0 * 31 + seed * 17 + $0 * $0 % 7) % 290 }
  }

  @Test(arguments: referenceModels + ["stories260K"])
  func cachedDecodingEqualsTheFullPass(name: String) throws {
    let model = try Transformer(folder: Fixtures.path("models/\(name)"))
    let ids = tokens(100, 1)
    try withoutGradients {
      let full = try model.logits(ids).values
      let cache = KVCache(model)
      let sequence = cache.newSequence()
      var cached: [Float] = []
      // A prompt of 30 tokens, then one at a time, past the end of the cache's first page.
      for range in [0..<30] + (30..<100).map({ $0..<$0 + 1 }) {
        let batch = RaggedBatch(lengths: [range.count], past: [range.lowerBound])
        let hidden = try model.hiddenStates(
          Array(ids[range]), batch,
          cache: CacheBatch(cache, [sequence], lengths: [range.count]))
        cached += try Tensor.linear(hidden, model.lmHead).values
      }
      let difference = largestDifference(full, cached)
      #expect(measured(difference, "logits, from the cache and in one pass", of: name) == 0)
    }
  }

  @Test(arguments: referenceModels + ["stories260K"])
  func outputRowsEqualThoseOfAll(name: String) throws {
    let model = try Transformer(folder: Fixtures.path("models/\(name)"))
    let (ids, outputRows) = (tokens(40, 1), [0, 11, 12, 39])
    let batch = RaggedBatch(lengths: [12, 28])
    try withoutGradients {
      let all = try model.hiddenStates(ids, batch)
      let some = try model.hiddenStates(ids, batch, outputRows: outputRows)
      #expect(some.shape == [4, model.configuration.hiddenSize])
      for (row, place) in outputRows.enumerated() {
        #expect(try some.select(row).values == all.select(place).values)
      }
    }
  }

  @Test(arguments: referenceModels + ["stories260K"])
  func scoringABatchEqualsScoringAlone(name: String) throws {
    let model = try Transformer(folder: Fixtures.path("models/\(name)"))
    let sequences = [1, 40, 7, 23, 90].map {
      TokenSequence(prompt: tokens(1 + $0 % 5, $0), completion: tokens($0, 100 + $0))
    }
    try withoutGradients {
      let together = try model.logProbabilities(sequences).select(0).values
      let alone = try sequences.flatMap { try model.logProbabilities([$0]).select(0).values }
      let difference = largestDifference(together, alone)
      #expect(measured(difference, "log-probabilities, scored in a batch and alone", of: name) == 0)
    }
  }
}
