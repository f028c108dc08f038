import Foundation
import Kernels
import Models
import Tensors
import TestSupport
import Testing

private struct SamplingCases: Decodable {
  struct Case: Decodable {
    let i: Int
    let params: Parameters
    let logits: [Logit]
    let kept: [Int]
    let probs: [Double]
    let order_of_ties_matters, cut_is_near_boundary: Bool
  }
  struct Parameters: Decodable {
    let temperature, top_p, min_p: Double?
    let top_k: Int?
  }
  struct Logit: Decodable {
    let value: Float
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      // The only string is "-inf".
      value = (try? container.decode(Float.self)) ?? -.infinity
    }
  }
  let cases: [Case]
}

private func distribution(
  _ logits: [Float], _ options: SamplingOptions
) throws -> Distribution {
  let distribution = Distribution(vocabularySize: logits.count)
  try logits.withUnsafeBufferPointer { try distribution.set($0.baseAddress!, options) }
  return distribution
}

private func randomLogits(_ count: Int, seed: UInt64, spread: Double = 2) -> [Float] {
  var random = RandomStream(seed: seed)
  return (0..<count).map { _ in Float(random.normal() * spread) }
}

/// The filters by sorting, in Double: slow and obvious.
private func sortedTwin(_ logits: [Float], _ o: SamplingOptions) -> [Int: Double] {
  let scaled = logits.map { Double($0 / Float(o.temperature)) }
  let order = scaled.indices.sorted { (scaled[$0], -$0) > (scaled[$1], -$1) }
  var kept = order
  if let k = o.topK, k < kept.count { kept = kept.filter { scaled[$0] >= scaled[order[k - 1]] } }
  let weight = { exp(scaled[$0] - scaled[order[0]]) }
  let total = kept.map(weight).reduce(0, +)
  var mass = 0.0
  if o.topP < 1 {
    kept = kept.filter { token in
      defer { mass += weight(token) }
      return mass < o.topP * total
    }
  }
  kept = kept.filter { weight($0) >= o.minP }
  let whole = kept.map(weight).reduce(0, +)
  return Dictionary(uniqueKeysWithValues: kept.map { ($0, weight($0) / whole) })
}

@Suite struct DistributionTests {
  @Test(.enabled(if: Fixtures.areThere, "\(Fixtures.missing)"))
  func equalsHuggingFace() throws {
    let data = try Data(contentsOf: URL(filePath: Fixtures.path("losses/sampling.json")))
    let cases = try JSONDecoder().decode(SamplingCases.self, from: data).cases
    #expect(cases.count == 216)
    var compared = 0
    for c in cases where !c.cut_is_near_boundary {
      let result = try distribution(
        c.logits.map(\.value),
        SamplingOptions(
          temperature: c.params.temperature ?? 1, topK: c.params.top_k ?? 0,
          topP: c.params.top_p ?? 1, minP: c.params.min_p ?? 0)
      ).probabilities
      // Which of tied tokens stay is not defined there, but how many and how likely they are is.
      if c.order_of_ties_matters {
        #expect(result.count == c.kept.count, "case \(c.i)")
        let pairs = zip(result.map(\.probability).sorted(), c.kept.map { c.probs[$0] }.sorted())
        for (got, expected) in pairs { #expect(abs(got - expected) <= 1e-6, "case \(c.i)") }
        continue
      }
      // Weights end at 1e-38 in float32; the reference's at 1e-324.
      let largest = c.probs.max() ?? 1
      let kept = { (token: Int) in c.probs[token] > 1e-37 * largest }
      #expect(result.map(\.token).filter(kept) == c.kept.filter(kept), "case \(c.i)")
      for (token, probability) in result {
        #expect(c.kept.contains(token), "case \(c.i), token \(token)")
        #expect(abs(probability - c.probs[token]) <= 1e-6, "case \(c.i), token \(token)")
      }
      compared += 1
    }
    #expect(compared == 184)
  }

  @Test(arguments: [
    (1.0, 0, 0.9, 0.0), (0.8, 50, 1, 0), (1, 700, 0.95, 0.001), (1.5, 0, 1, 0.02),
    (1, 20_000, 0.5, 0), (1, 0, 0.999999, 0), (20, 0, 0.7, 0), (3, 0, 0.999, 0), (1, 0, 1e-9, 0),
    (0.5, 1, 1, 1),
  ])
  func equalsTheSortedTwin(temperature: Double, topK: Int, topP: Double, minP: Double) throws {
    for (count, seed) in [(20_011, UInt64(1)), (40, 2), (1, 3)] {
      let logits = randomLogits(count, seed: seed)
      let options = try SamplingOptions(
        temperature: temperature, topK: topK, topP: topP, minP: minP)
      let twin = sortedTwin(logits, options)
      let result = try distribution(logits, options).probabilities
      #expect(result.map(\.token) == twin.keys.sorted())
      for (token, probability) in result {
        #expect(abs(probability - (twin[token] ?? 0)) < 1e-6)
      }
    }
  }

  /// What the sampler records is what scoring computes, to the bit, whatever is filtered away.
  @Test(arguments: [1, 15, 16, 17, 512, 1024, 1030, 1040, 8192, 20_011])
  func theNormaliserHasTheBitsOfScoring(count: Int) throws {
    let logits = randomLogits(count, seed: UInt64(count), spread: 5)
    for temperature in [0, 0.01, 0.7, 1, 1.3, 40] {
      for (topK, topP) in [(0, 1.0), (3, 1), (0, 0.8), (9, 0.5)] {
        let options = try SamplingOptions(temperature: temperature, topK: topK, topP: topP)
        let scale = temperature == 0 ? 1 : 1 / Float(temperature)
        let expected = logSumExp(logits, count, scale: scale)
        #expect(try distribution(logits, options).normaliser == expected)
      }
    }
  }

  @Test func tiedTokensStayInTheOrderOfTheirIds() throws {
    let same = [Float](repeating: 2, count: 40)
    let kept = { (o: SamplingOptions) in try distribution(same, o).probabilities.map(\.token) }
    #expect(try kept(SamplingOptions(topK: 3)) == Array(0..<40))
    #expect(try kept(SamplingOptions(topP: 0.5)) == Array(0..<20))
    #expect(try kept(SamplingOptions(temperature: 0)) == [0])
    #expect(try distribution([1, 3, 3, 2], SamplingOptions(temperature: 0)).sample(0.99) == 1)
  }

  @Test func samplesInTheOrderOfIds() throws {
    let logits = [0.1, 0.2, 0, 0.3, 0.4].map { Float(log($0)) }
    let sampled = try distribution(logits, SamplingOptions())
    for (u, token) in [(0, 0), (0.099, 0), (0.101, 1), (0.299, 1), (0.301, 3), (0.601, 4)] {
      #expect(sampled.sample(u) == token)
    }
    #expect(sampled.sample(1 - 0x1p-53) == 4)
  }

  /// Every cut of [0, 1) falls where the cumulative probability says, across blocks and at their
  /// seams.
  @Test func inversesTheCumulativeDistribution() throws {
    var logits = randomLogits(5000, seed: 5)
    for i in 4900..<5000 { logits[i] = -.infinity }
    for options in [try SamplingOptions(), try SamplingOptions(topK: 3000)] {
      let sampled = try distribution(logits, options)
      var before = 0.0
      for (token, probability) in sampled.probabilities {
        #expect(sampled.sample(before + 0.5 * probability) == token)
        before += probability
      }
      #expect(sampled.sample(1 - 0x1p-53) == sampled.probabilities.last?.token)
      #expect(sampled.sample(1) == sampled.probabilities.last?.token)
    }
  }

  /// Pearson's statistic Σ (observed − expected)² / expected of n draws has mean k − 1 and variance
  /// 2 (k − 1).
  @Test(arguments: [(1.0, 0, 1.0, 0.0), (0.7, 20, 1, 0), (1, 0, 0.8, 0), (1.3, 30, 0.9, 0.05)])
  func frequenciesFollowTheDistribution(
    temperature: Double, topK: Int, topP: Double, minP: Double
  ) throws {
    let logits = randomLogits(60, seed: 11, spread: 1)
    let sampled = try distribution(
      logits, SamplingOptions(temperature: temperature, topK: topK, topP: topP, minP: minP))
    let draws = 50_000
    var counts = [Double](repeating: 0, count: logits.count)
    for row in 0..<draws {
      counts[sampled.sample(uniform(seed: 3, step: 1, row: UInt64(row), sample: 0, position: 7))] +=
        1
    }
    var statistic = 0.0
    for (token, probability) in sampled.probabilities {
      let expected = probability * Double(draws)
      statistic += (counts[token] - expected) * (counts[token] - expected) / expected
      counts[token] = 0
    }
    #expect(counts.allSatisfy { $0 == 0 })
    let freedom = Double(sampled.probabilities.count - 1)
    #expect(abs(statistic - freedom) < 4 * (2 * freedom).squareRoot())
  }

  @Test func anObjectForgetsTheRowBefore() throws {
    let sampled = Distribution(vocabularySize: 100)
    let (first, second) = (randomLogits(100, seed: 1), randomLogits(100, seed: 2))
    try first.withUnsafeBufferPointer { try sampled.set($0.baseAddress!, SamplingOptions(topK: 3)) }
    try second.withUnsafeBufferPointer { try sampled.set($0.baseAddress!, SamplingOptions()) }
    let fresh = try distribution(second, SamplingOptions())
    #expect(sampled.probabilities.map(\.probability) == fresh.probabilities.map(\.probability))
  }

  @Test func wrongLogits() throws {
    let options = try SamplingOptions()
    func text(_ logits: [Float]) -> String? { errorText { _ = try distribution(logits, options) } }
    var logits = randomLogits(40, seed: 4)
    logits[17] = .nan
    #expect(text(logits) == "the logit of token 17 is nan")
    logits[39] = .nan
    logits[17] = 0
    #expect(text(logits) == "the logit of token 39 is nan")
    #expect(text([0, .infinity]) == "the logit of token 1 is inf")
    #expect(text([3e38]) == nil)
    #expect(
      errorText { _ = try distribution([3e38], SamplingOptions(temperature: 0.01)) }
        == "the logit 3e+38 over temperature 0.01 overflows")
    #expect(text([-.infinity, -.infinity]) == "all logits are -inf")
    #expect(text([.nan]) == "the logit of token 0 is nan")
  }

  @Test func wrongOptions() {
    func text(_ body: () throws -> SamplingOptions) -> String? { errorText { _ = try body() } }
    #expect(
      text { try SamplingOptions(n: 0) } == "n: a whole number from 1 to 1048576 expected, got 0")
    #expect(
      text { try SamplingOptions(maxTokens: -5) }
        == "max_tokens: a whole number from 1 to 2147483648 expected, got -5")
    for temperature in [-1, 0.001, .nan, .infinity] {
      #expect(
        text { try SamplingOptions(temperature: temperature) }
          == "temperature: 0 (greedy) or a number from 0.01 to 1e6 expected, got \(temperature)")
    }
    #expect(
      text { try SamplingOptions(topK: -2) }
        == "top_k: a whole number >= 1, or 0 or -1 for all tokens, expected, got -2")
    #expect(
      text { try SamplingOptions(topP: 0) } == "top_p: a number in (0, 1] expected, got 0.0")
    #expect(
      text { try SamplingOptions(minP: 1.5) } == "min_p: a number in [0, 1] expected, got 1.5")
    #expect(
      text { try SamplingOptions(stop: ["a", ""]) }
        == "stop: texts that are not empty expected, got an empty one")
    #expect((try? SamplingOptions(topK: -1))?.topK == nil)
  }
}
