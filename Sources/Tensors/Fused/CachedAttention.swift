import Core
import Kernels

// Attention over a cache. A task is a few queries on one key-value head: consecutive tokens of one
// sequence, or the newest tokens of sequences side by side that begin with the same segments, as
// samples of one prompt do (see `SharedAttention`). Grouping queries does not change a bit of the
// result.

extension Tensor {
  /// Causal attention of each sequence's new tokens over cached keys and values, which hold the new
  /// ones already.
  ///
  /// Sequence s sees `segments[bounds[s] ..< bounds[s + 1]]`, which a token sees as in `attention`.
  /// The arithmetic is that of `attention`, so the results have the same bits. Not differentiable.
  /// `store`, if given, is called with each row of q and key-value head before what they see there
  /// is read.
  public static func attention(
    _ q: Tensor, batch: RaggedBatch, shape: AttentionShape, segments: [KeyValueSegment],
    bounds: [Int], store: ((_ row: Int, _ head: Int) -> Void)? = nil
  ) throws(TensorError) -> Tensor {
    let out = try result(q.shape, for: "attention")
    let cached = CachedAttention(batch: batch, shape: shape, segments: segments, bounds: bounds)
    let parts = cached.parts()
    let queries = parts.reduce(1) { max($0, $1.rows.count) }
    let longest = cached.longest
    let scratchCount = AttentionBlock.scratchCount(shape, queries: queries, keys: longest)
    try Memory.requireBuffer(bytes: Team.shared.available * scratchCount * 4, for: "attention")
    let grain = taskGrain(shape, pairs: longest * queries)
    Team.shared.forEach(parts.count * shape.keyValueHeads, atLeast: grain) { tasks in
      let scratch = Storage(count: scratchCount)
      for task in tasks {
        let (part, head) = (parts[task / shape.keyValueHeads], task % shape.keyValueHeads)
        if let store { for row in part.rows { store(row, head) } }
        cached.attend(
          q.pointer, part, head: head, into: out.pointer, scratch.pointer,
          next: task + 1 < tasks.upperBound ? cached.keys(parts, task + 1) : nil)
      }
    }
    return out
  }
}

/// The queries of a pass and the keys that each attends to.
struct CachedAttention {
  let batch: RaggedBatch
  let shape: AttentionShape
  let segments: [KeyValueSegment]
  let bounds: [Int]

  /// Queries that are computed as one task.
  struct Part {
    let sequences: Range<Int>
    /// Rows of q: one row of each of several sequences, or several rows of one sequence.
    let rows: Range<Int>
    /// Segments that all of the sequences begin with.
    let shared: Int
  }

  /// Keys of the longest sequence.
  var longest: Int { (0..<batch.count).reduce(0) { max($0, batch.past[$1] + batch[$1].count) } }

  /// The most sequences a task may group without leaving threads idle.
  private var mostSharing: Int {
    let threads = Team.shared.available
    return threads == 1 ? batch.count : batch.count * shape.keyValueHeads / (4 * threads)
  }

  /// All rows of q.
  func parts() -> [Part] {
    let queries = AttentionBlock.queryCount(shape, keys: longest)
    let samples = min(8, queries, mostSharing)
    var parts: [Part] = []
    var s = 0
    while s < batch.count {
      let (end, shared) = sharing(s, atMost: samples)
      let rows = batch.offsets[s]..<batch.offsets[end]
      // With several sequences, each has one row, which is within the limit.
      for start in stride(from: rows.lowerBound, to: rows.upperBound, by: queries) {
        parts.append(
          Part(
            sequences: s..<end, rows: start..<min(rows.upperBound, start + queries), shared: shared)
        )
      }
      s = end
    }
    return parts
  }

  /// The end of the sequences from `s` on that share segments, and how many of these.
  private func sharing(_ s: Int, atMost count: Int) -> (end: Int, shared: Int) {
    var (end, shared) = (s + 1, bounds[s + 1] - bounds[s])
    guard hasOneRowThatSeesAll(s) else { return (end, shared) }
    while end < min(batch.count, s + count), hasOneRowThatSeesAll(end) {
      let common = commonSegments(s, end)
      if common == 0 { break }
      shared = min(shared, common)
      end += 1
    }
    return (end, shared)
  }

  private func hasOneRowThatSeesAll(_ s: Int) -> Bool {
    batch[s].count == 1 && shape.window > batch.past[s]
  }

  private func commonSegments(_ s: Int, _ other: Int) -> Int {
    zip(segments[bounds[s]..<bounds[s + 1]], segments[bounds[other]..<bounds[other + 1]])
      .prefix { $0.keys == $1.keys && $0.count == $1.count }.count
  }

  /// The keys that all of a task's sequences share.
  func keys(_ parts: [Part], _ task: Int) -> UnsafePointer<Float> {
    let segment = segments[bounds[parts[task / shape.keyValueHeads].sequences.lowerBound]]
    return segment.keys + task % shape.keyValueHeads * segment.keyHeadStride
  }

  /// Computes one task's queries on one key-value head.
  func attend(
    _ q: UnsafePointer<Float>, _ part: Part, head: Int, into out: UnsafeMutablePointer<Float>,
    _ scratch: UnsafeMutablePointer<Float>, next: UnsafePointer<Float>?
  ) {
    let row = part.rows.lowerBound * shape.heads * shape.size
    let s = part.sequences.lowerBound
    segments.withUnsafeBufferPointer { segments in
      if part.sequences.count == 1 {
        let first = batch.past[s] + part.rows.lowerBound - batch.offsets[s]
        AttentionBlock(
          shape, keyValueHead: head, positions: first..<first + part.rows.count,
          scratch: scratch, next: next
        ).attend(
          q + row, UnsafeBufferPointer(rebasing: segments[bounds[s]..<bounds[s + 1]]),
          out: out + row, normalisers: nil)
      } else {
        SharedAttention(
          shape, keyValueHead: head, positions: batch.past[part.sequences], segments,
          bounds: bounds[s...part.sequences.upperBound], shared: part.shared, scratch: scratch,
          next: next
        ).attend(q + row, out: out + row)
      }
    }
  }
}

extension Tensor {
  /// Keys or values rounded to nearest as a cache of `type` stores them; the tensor itself for
  /// float32. Scoring and training round them too, so that log-probabilities agree with sampling.
  ///
  /// The gradient is passed straight through (arXiv 1308.3432): that of a step function would be 0.
  public func rounded(to type: ScalarType) throws(TensorError) -> Tensor {
    guard type == .bfloat16 else { return self }
    let y = try Tensor.result(shape, for: "key-value rounding")
    try forElements(count) {
      roundToBFloat16(pointer + $0.lowerBound, into: y.pointer + $0.lowerBound, $0.count)
    }
    return .recorded("rounded", [self], y, style: .passing) { _, _ in }
  }
}
