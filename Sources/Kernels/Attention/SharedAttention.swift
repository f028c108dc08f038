// Attention of several samples of one prompt: the newest token of each sees the prompt's keys and
// values, which are stored once, and then those of its own sequence.
//
// For the shared keys, the queries of all sequences act as one query with many heads: the tiles of
// `AttentionBlock` load a key once for four rows, whichever sequences these belong to. Then each
// sequence continues over its own segments, in the same rows of weights and outputs. A row sees its
// keys in the same order as alone, so its bits are the same.

/// The newest tokens of sequences that begin with the same segments, on one key-value head.
public struct SharedAttention {
  /// All sequences' rows, as one query at the last of the shared positions.
  private let together: AttentionBlock
  /// Each sequence's rows.
  private let alone: [AttentionBlock]
  private let prefix: UnsafeBufferPointer<KeyValueSegment>
  private let own: [UnsafeBufferPointer<KeyValueSegment>]

  /// Every token must see all keys before it: no window of `shape` may be shorter than any of the
  /// sequences.
  ///
  /// - Parameters:
  ///   - positions: of each sequence's token.
  ///   - segments: sequence s sees those from its element of `bounds` to the next one.
  ///   - shared: how many segments, at least one, all sequences begin with.
  ///   - scratch: `AttentionBlock.scratchCount` floats, for a query of each sequence and as many
  ///     keys as the longest of them has.
  ///   - next: what is read afterwards, to be prefetched.
  public init(
    _ shape: AttentionShape, keyValueHead head: Int, positions: ArraySlice<Int>,
    _ segments: UnsafeBufferPointer<KeyValueSegment>, bounds: ArraySlice<Int>, shared: Int,
    scratch: UnsafeMutablePointer<Float>, next: UnsafePointer<Float>?
  ) {
    let group = shape.group
    let rows = AttentionScratch(
      scratch, rows: positions.count * group, size: shape.size, keys: (positions.max() ?? 0) + 1)
    own = zip(bounds, bounds.dropFirst()).map {
      UnsafeBufferPointer(rebasing: segments[$0 + shared..<$1])
    }
    prefix = UnsafeBufferPointer(rebasing: segments[bounds[bounds.startIndex]...].prefix(shared))
    let length = prefix.reduce(0) { $0 + $1.count }
    together = AttentionBlock(
      shape, head, positions: length - 1..<length, group: positions.count * group, rows,
      next: nil)
    alone = positions.enumerated().map { index, position in
      AttentionBlock(
        shape, head, positions: position..<position + 1, group: group,
        rows.rows(from: index * group), next: index + 1 == positions.count ? next : nil)
    }
  }

  /// Computes the heads' outputs, rows like those of q.
  ///
  /// q holds the first token's row [H·D] of queries, followed by the others'.
  public func attend(_ q: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>) {
    let width = together.shape.heads * together.shape.size
    let length = together.positions.upperBound
    for (index, block) in alone.enumerated() { block.load(q + index * width) }
    together.score(prefix, from: 0)
    for (block, segments) in zip(alone, own) {
      block.score(segments, from: length)
      block.normalise(nil)
    }
    together.addValues(prefix, from: 0)
    for (index, block) in alone.enumerated() {
      block.addValues(own[index], from: length)
      block.store(out + index * width)
    }
  }
}
