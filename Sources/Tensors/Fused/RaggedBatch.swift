/// Sequences of different lengths laid end to end in one token dimension, without padding.
public struct RaggedBatch: Sendable {
  /// Sequence s holds the rows offsets[s] ..< offsets[s + 1]; S + 1 numbers.
  public let offsets: [Int]
  /// Tokens of each sequence that came before this batch (in a cache); 0 in training.
  public let past: [Int]

  /// Sequences of the given lengths, each after `past` earlier tokens.
  public init(lengths: [Int], past: [Int]? = nil) {
    var offsets = [0]
    for length in lengths { offsets.append(offsets[offsets.count - 1] + length) }
    self.offsets = offsets
    self.past = past ?? [Int](repeating: 0, count: lengths.count)
  }

  /// Number of sequences.
  public var count: Int { past.count }

  /// Number of tokens in all sequences: N.
  public var tokenCount: Int { offsets[offsets.count - 1] }

  /// Tokens of the longest sequence, without those in a cache.
  var longest: Int { (0..<count).reduce(0) { max($0, self[$1].count) } }

  /// The rows of sequence `index`.
  public subscript(index: Int) -> Range<Int> { offsets[index]..<offsets[index + 1] }

  /// The row of every sequence's last token.
  public var lastRows: [Int] { offsets.dropFirst().map { $0 - 1 } }

  /// The position in its sequence of every token: N numbers.
  public var positions: [Int] {
    (0..<count).flatMap { s in past[s]..<past[s] + self[s].count }
  }

  /// The sequence of every token: N numbers.
  public var sequences: [Int] {
    (0..<count).flatMap { s in repeatElement(s, count: self[s].count) }
  }
}
