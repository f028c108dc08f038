import Kernels
import Tensors

/// The distribution that a token is drawn from: softmax(logits / temperature) after top-k, top-p
/// and min-p.
///
/// The filters and their order are those of Hugging Face's logits processors:
/// - top-k keeps what is not below the k-th largest logit, ties included;
/// - top-p keeps the fewest most likely tokens whose probability reaches p, of tied ones the first;
/// - min-p keeps what has at least min-p times the probability of the most likely token.
///
/// An object is scratch memory for one row of logits at a time and one thread; nothing is allocated
/// per token. Weights are exp((logit − largest) / temperature), so the largest is 1. A token whose
/// weight is below 1e-38 is never drawn. At temperature 1 the pass that computes them gives the
/// normaliser of the log-probabilities as well. Left out: penalties.
public final class Distribution {
  /// Number of logits in a row.
  public let vocabularySize: Int
  private let weights: UnsafeMutablePointer<Float>
  private let tokens: UnsafeMutablePointer<Int32>
  private let heap: UnsafeMutablePointer<Float>
  /// Sum of the weights of each block of `blockSize`.
  private let masses: UnsafeMutablePointer<Double>
  private let blockSize = 1024
  /// Sum of the weights of each bucket of `nucleus`; the last one is that of weight 1.
  private let buckets: UnsafeMutablePointer<Double>
  private let bucketCount = Int(Float(1).bitPattern >> 19) + 1
  /// How many weights there are; of tokens 0, 1, 2, … or, after a filter, of those in `tokens`.
  private var count = 0
  private var isFiltered = false
  private var total = 0.0
  /// ln Σ exp(logit / temperature) over the whole row, whatever the filters: the bits of
  /// `logSumExp`.
  public private(set) var normaliser: Float = 0

  /// Scratch memory for rows of `vocabularySize` logits.
  public init(vocabularySize: Int) {
    self.vocabularySize = vocabularySize
    weights = .allocate(capacity: vocabularySize)
    tokens = .allocate(capacity: vocabularySize)
    heap = .allocate(capacity: vocabularySize)
    masses = .allocate(capacity: vocabularySize / blockSize + 1)
    buckets = .allocate(capacity: bucketCount)
  }

  deinit {
    weights.deallocate()
    tokens.deallocate()
    heap.deallocate()
    masses.deallocate()
    buckets.deallocate()
  }

  /// Computes the distribution of a row of `vocabularySize` logits.
  ///
  /// - Throws: `LogitsError` if a logit is NaN or +infinity (it names the token) or all are
  ///   -infinity.
  public func set(
    _ logits: UnsafePointer<Float>, _ options: SamplingOptions
  ) throws(LogitsError) {
    let largest = try largestLogit(logits)
    let temperature = Float(options.temperature)
    count = vocabularySize
    isFiltered = false
    guard temperature > 0 else {
      normaliser = logSumExp(logits, count, scale: 1)
      return keepOnly(firstIndex(logits, 0..<count, above: largest.nextDown))
    }
    guard (largest / temperature).isFinite else {
      throw .overflow(largest, temperature: temperature)
    }
    if let k = options.topK, k < vocabularySize {
      normaliser = logSumExp(logits, count, scale: options.logitScale)
      select(logits, atLeast: kthLargest(k, logits))
      weigh(weights, temperature, largest)
    } else if temperature == 1 {
      normaliser = softmaxWeights(
        logits, count, largest: largest, into: weights, masses: masses, blockSize: blockSize)
      addMasses()
    } else {
      normaliser = logSumExp(logits, count, scale: options.logitScale)
      weigh(logits, temperature, largest)
    }
    var threshold: Float = 0
    var ties = Int.max
    if options.topP < 1 { (threshold, ties) = nucleus(options.topP) }
    if Float(options.minP) > threshold { (threshold, ties) = (Float(options.minP), .max) }
    if threshold > 0 {
      select(weights, atLeast: threshold, ties: ties)
      sumBlocks { sum(weights + $0.lowerBound, $0.count) }
    }
  }

  /// The token at `u` (in [0, 1)) of the cumulative distribution, tokens in the order of their ids.
  public func sample(_ u: Double) -> Int {
    precondition(count > 0, "sample() needs a distribution: call set() first")
    let target = u * total
    var passed = 0.0
    var block = 0
    while (block + 1) * blockSize < count, passed + masses[block] <= target {
      passed += masses[block]
      block += 1
    }
    let end = min(count, (block + 1) * blockSize)
    var index = block * blockSize
    while index < end {
      passed += Double(weights[index])
      if passed > target { break }
      index += 1
    }
    // Rounding may leave the target behind the last token that can be drawn.
    if index == end { index -= 1 }
    while index > 0, weights[index] == 0 { index -= 1 }
    return isFiltered ? Int(tokens[index]) : index
  }

  /// The tokens that can be drawn, in the order of their ids, with their probabilities.
  public var probabilities: [(token: Int, probability: Double)] {
    let whole = (0..<count).reduce(0.0) { $0 + Double(weights[$1]) }
    return (0..<count).filter { weights[$0] > 0 }.map {
      (isFiltered ? Int(tokens[$0]) : $0, Double(weights[$0]) / whole)
    }
  }

  private func keepOnly(_ token: Int) {
    tokens[0] = Int32(token)
    weights[0] = 1
    masses[0] = 1
    total = 1
    count = 1
    isFiltered = true
  }

  /// weight = exp(x / temperature − largest / temperature), with the division of Hugging Face's
  /// float32.
  private func weigh(_ x: UnsafePointer<Float>, _ temperature: Float, _ largest: Float) {
    let shift = largest / temperature
    sumBlocks { range in
      exponential(
        x + range.lowerBound, over: temperature, minus: shift, into: weights + range.lowerBound,
        range.count)
    }
  }

  private func sumBlocks(_ body: (Range<Int>) -> Float) {
    for (block, start) in stride(from: 0, to: count, by: blockSize).enumerated() {
      masses[block] = Double(body(start..<min(count, start + blockSize)))
    }
    addMasses()
  }

  private func addMasses() {
    total = 0
    for block in 0..<(count + blockSize - 1) / blockSize { total += masses[block] }
  }
}

// MARK: - Selection

extension Distribution {
  /// Keeps the entries whose value in `row` reaches `threshold`, of those equal to it the first
  /// `ties`, and copies their values to the weights.
  private func select(
    _ row: UnsafePointer<Float>, atLeast threshold: Float, ties: Int = .max
  ) {
    var kept = 0
    var ties = ties
    forEachIndex(row, count, atLeast: threshold) { i in
      if row[i] == threshold {
        guard ties > 0 else { return }
        ties -= 1
      }
      tokens[kept] = isFiltered ? tokens[i] : Int32(i)
      weights[kept] = row[i]
      kept += 1
    }
    count = kept
    isFiltered = true
  }

  /// The k-th largest of a row by a heap of the k largest so far, negated so that the smallest is
  /// at the root.
  private func kthLargest(_ k: Int, _ row: UnsafePointer<Float>) -> Float {
    for i in 0..<k { heap[i] = -row[i] }
    heapify(heap, k)
    var i = k
    while i < vocabularySize {
      i = firstIndex(row, i..<vocabularySize, above: -heap[0])
      guard i < vocabularySize else { break }
      heap[0] = -row[i]
      siftDown(heap, 0, k)
      i += 1
    }
    return -heap[0]
  }

  /// The weight of the last token of the smallest set with probability p, and how many of its
  /// equals are in the set.
  ///
  /// Weights are first summed in buckets of equal exponent and upper mantissa bits, a sixteenth of
  /// an octave each; only the bucket in which p is reached has to be put in order.
  private func nucleus(_ p: Double) -> (threshold: Float, ties: Int) {
    buckets.update(repeating: 0, count: bucketCount)
    for i in 0..<count { buckets[Int(weights[i].bitPattern >> 19)] += Double(weights[i]) }
    var mass = 0.0
    var bucket = bucketCount - 1
    while bucket > 0, mass + buckets[bucket] < p * total {
      mass += buckets[bucket]
      bucket -= 1
    }
    let lower = max(Float(bitPattern: UInt32(bucket) << 19), .leastNormalMagnitude)
    let upper = Float(bitPattern: UInt32(bucket + 1) << 19)
    var size = 0
    forEachIndex(weights, count, atLeast: lower) { i in
      guard weights[i] < upper else { return }
      heap[size] = weights[i]
      size += 1
    }
    heapify(heap, size)
    var threshold = lower
    var ties = 0
    while mass < p * total, size > 0 {
      ties = heap[0] == threshold ? ties + 1 : 1
      threshold = heap[0]
      mass += Double(threshold)
      size -= 1
      heap[0] = heap[size]
      siftDown(heap, 0, size)
    }
    return (threshold, ties > 0 ? ties : .max)
  }

  private func largestLogit(_ row: UnsafePointer<Float>) throws(LogitsError) -> Float {
    let (largest, hasNaN) = maximumAndNaN(row, vocabularySize)
    if hasNaN || largest == .infinity {
      let token = (0..<vocabularySize).first { row[$0].isNaN || row[$0] == .infinity } ?? 0
      throw .notFinite(token: token, row[token])
    }
    guard largest > -.infinity else { throw .allImpossible }
    return largest
  }
}
