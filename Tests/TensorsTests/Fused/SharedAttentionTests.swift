import Kernels
import TestSupport
import Testing

@testable import Tensors

/// Heads, window, tokens of each prompt, and samples of each.
struct SharedAttentionCase: Sendable, CustomStringConvertible {
  let shape: AttentionShape
  let prompts: [Int]
  let samples: [Int]

  init(
    _ heads: Int, _ keyValueHeads: Int, _ size: Int, window: Int = .max, _ prompts: [Int],
    _ samples: [Int]
  ) {
    shape = AttentionShape(heads: heads, keyValueHeads: keyValueHeads, size: size, window: window)
    (self.prompts, self.samples) = (prompts, samples)
  }

  var description: String {
    "\(shape.heads) on \(shape.keyValueHeads) heads of \(shape.size), window \(shape.window), "
      + "\(samples) samples of prompts of \(prompts)"
  }
}

private let cases: [SharedAttentionCase] = [
  // Groups of 1, 2, 3 and 7 heads; prompts of whole pages and not; groups of 2 to 9 samples and of
  // one.
  SharedAttentionCase(2, 2, 16, [64, 1, 30], [8, 9, 2]),
  SharedAttentionCase(4, 2, 64, [70, 128, 16], [3, 1, 8]),
  SharedAttentionCase(3, 1, 20, [5, 131], [9, 4]),
  SharedAttentionCase(14, 2, 48, [65, 48, 17], [5, 6, 7]),
  // Windows that hide a part of some prompts, of all, and of none.
  SharedAttentionCase(4, 2, 16, window: 60, [40, 70, 10], [8, 3, 9]),
  SharedAttentionCase(3, 1, 32, window: 5, [40, 2], [4, 4]),
  SharedAttentionCase(2, 1, 16, window: 500, [100], [6]),
]

/// Samples of a prompt that attend to it together, against each alone.
@Suite(.serialized) struct SharedAttentionTests {
  /// The newest tokens of samples of different lengths, with an entering prompt behind them.
  @Test(arguments: cases, [ScalarType.float32, .bfloat16])
  func bitsAreThoseOfASequenceAlone(_ example: SharedAttentionCase, _ type: ScalarType) throws {
    let before = Team.shared
    defer { Team.shared = before }
    for threads in [1, 3] {
      Team.shared = Team(threads: threads)
      try compare(example, type)
    }
  }

  private func compare(_ example: SharedAttentionCase, _ type: ScalarType) throws {
    let shape = example.shape
    var stream = RandomStream(seed: 4)
    var prefixes = zip(example.prompts, example.samples).flatMap { prompt, samples in
      let pages = SampledKeys(prompt, after: nil, shape, type, &stream)
      return (0..<samples).map {
        SampledKeys(1 + ($0 * 29 + prompt) % 70, after: pages, shape, type, &stream)
      }
    }
    let entering = SampledKeys(37, after: nil, shape, type, &stream)
    prefixes.append(entering)
    let lengths = prefixes.map { $0 === entering ? 37 : 1 }
    let batch = RaggedBatch(
      lengths: lengths, past: zip(prefixes, lengths).map { $0.count - $1 })
    let q = try Tensor.randn([batch.tokenCount, shape.heads * shape.size], from: &stream)
    let together = try attention(q, batch, shape, prefixes)
    for (s, keys) in prefixes.enumerated() {
      let rows = batch[s]
      let query = try q.narrow(dim: 0, start: rows.lowerBound, length: rows.count)
      let alone = try attention(
        query, RaggedBatch(lengths: [rows.count], past: [batch.past[s]]), shape, [keys])
      let ours = try together.narrow(dim: 0, start: rows.lowerBound, length: rows.count)
      #expect(ours.values.map(\.bitPattern) == alone.values.map(\.bitPattern))
      #expect(ours.values.allSatisfy { $0.isFinite })
    }
  }

  @Test func samplesOfAPromptAreComputedTogether() throws {
    let before = Team.shared
    defer { Team.shared = before }
    var stream = RandomStream(seed: 4)
    /// Sequences and shared segments of each part.
    func parts(_ shape: AttentionShape, threads: Int) -> [[Int]] {
      Team.shared = Team(threads: threads)
      let prompts = [130, 64].map { SampledKeys($0, after: nil, shape, .float32, &stream) }
      var sequences = (0..<9).map {
        SampledKeys(1 + $0, after: prompts[0], shape, .float32, &stream)
      }
      sequences += (0..<3).map { SampledKeys(2 + $0, after: prompts[1], shape, .float32, &stream) }
      sequences.append(SampledKeys(5, after: nil, shape, .float32, &stream))
      let (segments, bounds) = joined(sequences)
      let batch = RaggedBatch(
        lengths: sequences.map { _ in 1 }, past: sequences.map { $0.count - 1 })
      return CachedAttention(batch: batch, shape: shape, segments: segments, bounds: bounds)
        .parts().map { [$0.sequences.lowerBound, $0.sequences.upperBound, $0.shared] }
    }
    let shape = AttentionShape(heads: 4, keyValueHeads: 2, size: 16)
    #expect(parts(shape, threads: 1) == [[0, 8, 3], [8, 9, 4], [9, 12, 1], [12, 13, 1]])
    // Thirteen sequences on two heads are 26 tasks; two threads want 8.
    #expect(
      parts(shape, threads: 2)
        == [[0, 3, 3], [3, 6, 3], [6, 9, 3], [9, 12, 1], [12, 13, 1]])
    #expect(parts(shape, threads: 16).count == 13)
    // Of the longer prompt's samples none sees its beginning.
    let window = AttentionShape(heads: 4, keyValueHeads: 2, size: 16, window: 70)
    #expect(
      parts(window, threads: 1).map { $0[1] - $0[0] } == [Int](repeating: 1, count: 9) + [3, 1])
  }

  private func joined(_ sequences: [SampledKeys]) -> ([KeyValueSegment], bounds: [Int]) {
    var (segments, bounds) = ([KeyValueSegment](), [0])
    for sequence in sequences {
      segments += sequence.segments
      bounds.append(segments.count)
    }
    return (segments, bounds)
  }

  private func attention(
    _ q: Tensor, _ batch: RaggedBatch, _ shape: AttentionShape, _ sequences: [SampledKeys]
  ) throws -> Tensor {
    let (segments, bounds) = joined(sequences)
    return try .attention(q, batch: batch, shape: shape, segments: segments, bounds: bounds)
  }
}

/// Random keys and values of a prompt, or of a sample that goes on after one, in pages of 64.
private final class SampledKeys {
  let segments: [KeyValueSegment]
  let count: Int
  private let own: Segments
  private let prompt: SampledKeys?

  init(
    _ length: Int, after prompt: SampledKeys?, _ shape: AttentionShape,
    _ type: ScalarType, _ stream: inout RandomStream
  ) {
    var own = Segments(shape, type)
    for slot in 0..<length {
      if slot > 0, slot % 64 == 0 { own.begin() }
      let floats = (0..<2 * shape.stride).map { _ in Float(stream.normal()) }
      floats.withUnsafeBufferPointer {
        if let k = $0.baseAddress { own.append(k, k + shape.stride) }
      }
    }
    segments = (prompt?.segments ?? []) + own.all
    count = (prompt?.count ?? 0) + length
    (self.own, self.prompt) = (own, prompt)
  }
}

/// Segments of cached keys and values that end where a test wants them to.
struct Segments {
  private let shape: AttentionShape
  private let type: ScalarType
  private var pages: [(storage: Storage, count: Int)] = []
  private let room = 160

  init(_ shape: AttentionShape, _ type: ScalarType = .float32) {
    self.shape = shape
    self.type = type
    begin()
  }

  private var halves: BFloat16Page {
    BFloat16Page(tokens: room, heads: shape.keyValueHeads, size: shape.size)
  }

  /// Ends the last segment.
  mutating func begin() {
    let storage = Storage(
      count: type == .float32 ? 2 * room * shape.stride : halves.count)
    // What was never written must not be seen.
    storage.pointer.update(repeating: .nan, count: storage.count)
    pages.append((storage, 0))
  }

  mutating func append(_ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>) {
    let (storage, slot) = pages[pages.count - 1]
    for head in 0..<shape.keyValueHeads {
      let (k, v) = (k + head * shape.size, v + head * shape.size)
      if type == .bfloat16 {
        halves.store(k, v, head: head, page: storage.pointer, slot: slot)
      } else {
        storeKeyValue(
          k, v, head: head, size: shape.size, page: storage.pointer, tokens: room, slot: slot)
      }
    }
    pages[pages.count - 1].count += 1
  }

  var all: [KeyValueSegment] {
    pages.map {
      let page = $0.storage.pointer
      return type == .bfloat16
        ? KeyValueSegment(bfloat16: page, halves, count: $0.count)
        : KeyValueSegment(page: page, tokens: room, size: shape.size, count: $0.count)
    }
  }
}
