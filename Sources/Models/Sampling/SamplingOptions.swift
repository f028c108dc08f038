import Core

/// How completions are drawn: names, ranges and defaults are those of vLLM's `SamplingParams`.
public struct SamplingOptions: Sendable, Equatable {
  /// Completions per prompt.
  public let n: Int
  /// The most tokens of a completion.
  public let maxTokens: Int
  /// What logits are divided by; 0 takes the most likely token.
  public let temperature: Double
  /// Top-k: how many of the most likely tokens are kept, ties with the last included; nil keeps
  /// all.
  public let topK: Int?
  /// Top-p: the total probability that the kept tokens must reach; 1 keeps all.
  public let topP: Double
  /// Min-p: the least probability of a kept token, relative to the most likely one; 0 keeps all.
  public let minP: Double
  /// Stop strings: a completion is cut before the first of them.
  public let stop: [String]
  /// Stop tokens, which end a completion as a stop string does.
  public let stopTokenIDs: Set<Int>
  /// Whether a completion goes on after an end token.
  public let ignoreEOS: Bool
  /// Seed of these completions; nil for the run's.
  public let seed: UInt64?

  /// The defaults, vLLM's.
  public enum Default {
    public static let n = 1, maxTokens = 16, temperature = 1, topK = 0, topP = 1, minP = 0
  }

  /// Checks and keeps the options; a `topK` of 0 or -1 is off.
  ///
  /// A temperature below 0.01 other than 0 is refused, where vLLM raises it to 0.01: logits divided
  /// by it lose all their digits.
  /// - Throws: `ArgumentError` naming the first option out of its range, the range and the value
  ///   given.
  public init(
    n: Int = Default.n, maxTokens: Int = Default.maxTokens,
    temperature: Double = Double(Default.temperature), topK: Int = Default.topK,
    topP: Double = Double(Default.topP), minP: Double = Double(Default.minP), stop: [String] = [],
    stopTokenIDs: [Int] = [], ignoreEOS: Bool = false,
    seed: UInt64? = nil
  ) throws(ArgumentError) {
    // The upper limits keep sums and products of counts far from overflow.
    try require((1...1 << 20).contains(n), "n: a whole number from 1 to 1048576", n)
    try Self.check(maxTokens: maxTokens)
    try require(
      temperature == 0 || (0.01...1e6).contains(temperature),
      "temperature: 0 (greedy) or a number from 0.01 to 1e6", temperature)
    try require(topK >= -1, "top_k: a whole number >= 1, or 0 or -1 for all tokens,", topK)
    try require(topP > 0 && topP <= 1, "top_p: a number in (0, 1]", topP)
    try require((0...1).contains(minP), "min_p: a number in [0, 1]", minP)
    try require(!stop.contains(""), "stop: texts that are not empty", "an empty one")
    self.n = n
    self.maxTokens = maxTokens
    self.temperature = temperature
    self.topK = topK > 0 ? topK : nil
    self.topP = topP
    self.minP = minP
    self.stop = stop
    self.stopTokenIDs = Set(stopTokenIDs)
    self.ignoreEOS = ignoreEOS
    self.seed = seed
  }

  /// Throws unless a completion may have this many tokens.
  public static func check(maxTokens: Int) throws(ArgumentError) {
    try require(
      (1...1 << 31).contains(maxTokens), "max_tokens: a whole number from 1 to 2147483648",
      maxTokens)
  }

  /// What logits are multiplied by: 1 / temperature, and 1 where the most likely token is taken.
  var logitScale: Float { temperature == 0 ? 1 : 1 / Float(temperature) }
}

private func require<Value>(
  _ holds: Bool, _ expected: String, _ given: Value
) throws(ArgumentError) {
  if !holds { throw ArgumentError("\(expected) expected, got \(given)") }
}
