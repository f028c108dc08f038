// Attention forward: softmax(q kᵀ scale) v for consecutive queries of one sequence and the query
// heads that share one key-value head.
//
// These are the rows of small products (see `multiplyTile`): four rows share each loaded key and
// value, heads of one token in decoding and tokens in scoring. Keys and values come in segments of
// consecutive rows (a whole sequence in training, pages of a KV cache in decoding). A score is one
// chain of additions over the head's elements, an output one chain over the visible keys in order,
// so results depend neither on the boundaries of segments nor on the other rows.

/// Rows that share a loaded key or value.
let tileRows = 4
/// Values per chunk: they stay in the L1 cache while all rows use them.
let valueChunk = 64

/// Consecutive queries of one sequence on one key-value head, with their scratch memory.
///
/// Row r is query r / group of query head r % group. A place is the index of a key, counted from
/// the first visible one.
public struct AttentionBlock {
  let shape: AttentionShape
  let head: Int
  let positions: Range<Int>
  let group: Int
  let rows: Int
  /// The positions visible to any of the rows.
  let seen: Range<Int>
  let scratch: AttentionScratch
  /// What is read after this block, to be prefetched.
  let next: UnsafePointer<Float>?

  /// The queries at `positions`; `scratch` holds `scratchCount` floats.
  public init(
    _ shape: AttentionShape, keyValueHead head: Int, positions: Range<Int>,
    scratch: UnsafeMutablePointer<Float>, next: UnsafePointer<Float>? = nil
  ) {
    let rows = AttentionScratch(
      scratch, rows: positions.count * shape.group, size: shape.size,
      keys: shape.visible(through: positions).count)
    self.init(shape, head, positions: positions, group: shape.group, rows, next: next)
  }

  /// Queries with `group` rows each, which are the first rows of `scratch`.
  init(
    _ shape: AttentionShape, _ head: Int, positions: Range<Int>, group: Int,
    _ scratch: AttentionScratch, next: UnsafePointer<Float>?
  ) {
    self.shape = shape
    self.head = head
    self.positions = positions
    self.group = group
    rows = group * positions.count
    seen = shape.visible(through: positions)
    self.scratch = scratch
    self.next = next
  }

  /// Number of queries computed together if none sees more than `keys` keys: their weights stay in
  /// the L2 cache.
  public static func queryCount(_ shape: AttentionShape, keys: Int) -> Int {
    let rows = min(32, 131_072 / max(1, keys))
    return max(4, rows / shape.group / 4 * 4)
  }

  /// Floats of scratch that `count` queries need when they see at most `keys` keys in all.
  public static func scratchCount(_ shape: AttentionShape, queries count: Int, keys: Int) -> Int {
    AttentionScratch.count(rows: count * shape.group, size: shape.size, keys: keys)
  }

  /// Attends over `segments`, which hold all that the queries see, from the sequence's first token
  /// on.
  ///
  /// - Parameters:
  ///   - q: the first query's row [H·D] of queries, the others behind it.
  ///   - out: rows like those of q; the block's heads are written.
  ///   - normalisers: where given, rows [H] that receive ln Σ exp(score).
  public func attend(
    _ q: UnsafePointer<Float>, _ segments: UnsafeBufferPointer<KeyValueSegment>,
    out: UnsafeMutablePointer<Float>, normalisers: UnsafeMutablePointer<Float>?
  ) {
    load(q)
    score(segments, from: 0)
    normalise(normalisers)
    addValues(segments, from: 0)
    store(out)
  }

  /// Loads the queries, scaled, and clears their outputs.
  func load(_ q: UnsafePointer<Float>) {
    let (width, count) = (shape.heads * shape.size, group * shape.size)
    let first = q + head * count
    // Prefetch the next block's first rows.
    prefetch(first + positions.count * width, rows: positions.count, stride: width, count)
    for query in 0..<positions.count {
      scale(shape.scale, first + query * width, into: scratch.queries + query * count, count)
    }
    scratch.sums.update(repeating: 0, count: rows * shape.size)
  }

  /// Writes the scores of the keys in `segments`, the first of which is at position `start`.
  func score(_ segments: UnsafeBufferPointer<KeyValueSegment>, from start: Int) {
    segments.forEach(seen: seen, from: start) { segment, keys, place, following in
      let ahead = following.map { $0.keys(of: head) } ?? segments[0].values(of: head)
      if segment.type == .bfloat16 {
        score(segment, UInt32.self, keys, place, ahead)
      } else {
        score(segment, Float.self, keys, place, ahead)
      }
    }
  }

  /// Turns all scores into weights; `store` divides by their sum.
  func normalise(_ normalisers: UnsafeMutablePointer<Float>?) {
    for row in 0..<rows {
      let (largest, total) = exponentials(row)
      scratch.inverses[row] = 1 / total
      if let normalisers {
        normalisers[row / group * shape.heads + head * group + row % group] = largest + log(total)
      }
    }
  }

  /// Adds the weighted values in `segments`, the first of which is at position `start`.
  func addValues(_ segments: UnsafeBufferPointer<KeyValueSegment>, from start: Int) {
    segments.forEach(seen: seen, from: start) { segment, keys, place, following in
      let ahead = following.map { $0.values(of: head) } ?? next
      if segment.type == .bfloat16 {
        addValues(segment, UInt32.self, keys, place, ahead)
      } else {
        addValues(segment, Float.self, keys, place, ahead)
      }
    }
  }

  /// Writes the outputs.
  func store(_ out: UnsafeMutablePointer<Float>) {
    let (width, size) = (shape.heads * shape.size, shape.size)
    for row in 0..<rows {
      let target = out + row / group * width + (head * group + row % group) * size
      scale(scratch.inverses[row], scratch.sums + row * size, into: target, size)
    }
  }

  /// The places visible to any row from `first` to `last`.
  private func places(_ first: Int, _ last: Int) -> Range<Int> {
    let lower = shape.visible(from: positions.lowerBound + first / group).lowerBound
    let upper = positions.lowerBound + last / group + 1
    return lower - seen.lowerBound..<upper - seen.lowerBound
  }

  /// Writes the products of the queries with the `keys` of a segment, the first of which is at
  /// `place`; prefetches `next`.
  private func score<E: TileElement>(
    _ segment: KeyValueSegment, _: E.Type, _ keys: Range<Int>, _ place: Int,
    _ next: UnsafePointer<Float>
  ) {
    let size = shape.size
    let end = (keys.upperBound + keyBlock - 1) / keyBlock
    for block in stride(from: segment.firstBlock(keys.lowerBound), to: end, by: 4) {
      let first = place + block * keyBlock - keys.lowerBound
      let blocks = segment.keys(of: head) + block * segment.keyBlockStride
      let ahead = block + 4 < end ? blocks + 4 * segment.keyBlockStride : next
      for row in stride(from: 0, to: rows, by: tileRows) {
        let count = min(tileRows, rows - row)
        let seen = places(row, row + count - 1)
        let vectors = min(end - block, 4, (seen.upperBound - first + 15) / 16)
        if vectors <= 0 || seen.lowerBound >= first + vectors * 16 { continue }
        multiplyTile(
          Grid(scratch.queries + row * size, rowStep: size, step: 1),
          Grid(
            E.at(blocks), rowStep: segment.keyElementStride, step: segment.keyBlockStride),
          rows: count, columns: vectors * 16, depth: size,
          into: scratch.weights + row * scratch.weightStep + first, rowStep: scratch.weightStep,
          step: 16,
          ahead: row == 0 ? ahead : nil)
      }
    }
  }

  /// Turns a row of scores into exp(score − largest); returns the largest and the sum.
  private func exponentials(_ row: Int) -> (largest: Float, total: Float) {
    let seen = places(row, row)
    let scores = scratch.weights + row * scratch.weightStep + seen.lowerBound
    let padded = (seen.count + 15) / 16 * 16
    for place in seen.count..<padded { scores[place] = -.infinity }
    let largest = maximum(scores, padded)
    return (largest, exponential(scores, minus: largest, into: scores, padded))
  }

  /// Adds the weighted values of a segment's `keys`, the first of which is at `place`; prefetches
  /// `next`.
  private func addValues<E: TileElement>(
    _ segment: KeyValueSegment, _: E.Type, _ keys: Range<Int>, _ place: Int,
    _ next: UnsafePointer<Float>?
  ) {
    let stride = segment.valueStride
    let values = segment.values(of: head) + keys.lowerBound * stride
    for start in Swift.stride(from: 0, to: keys.count, by: valueChunk) {
      let chunk = place + start..<place + min(keys.count, start + valueChunk)
      let rest = values + start * stride
      let ahead = start + valueChunk < keys.count ? rest + valueChunk * stride : next
      for row in Swift.stride(from: 0, to: rows, by: tileRows) {
        let grid = Grid(E.at(rest), rowStep: stride, step: E.vectorSize)
        addValues(grid, chunk, row, min(rows, row + tileRows), ahead: row == 0 ? ahead : nil)
      }
    }
  }

  /// Adds the values at the places of `chunk` to the rows of a tile: those visible to all rows
  /// together, the rest query by query.
  private func addValues<E: TileElement>(
    _ values: Grid<E>, _ chunk: Range<Int>, _ row: Int, _ end: Int, ahead: UnsafePointer<Float>?
  ) {
    let first = places(row, row)
    let last = places(end - 1, end - 1)
    if first.clamped(to: chunk) == last.clamped(to: chunk) {
      return addValues(values, chunk, row, end, first, ahead: ahead)
    }
    let shared = last.lowerBound..<max(last.lowerBound, first.upperBound)
    forEachQuery(row, end) { row, end, seen in
      let before = seen.lowerBound..<min(seen.upperBound, shared.lowerBound)
      addValues(values, chunk, row, end, before)
    }
    addValues(values, chunk, row, end, shared)
    forEachQuery(row, end) { row, end, seen in
      let behind = max(seen.lowerBound, shared.upperBound)
      addValues(values, chunk, row, end, behind..<max(behind, seen.upperBound))
    }
  }

  /// Calls `body` with the rows of each query between `row` and `end`, and the places they see.
  @inline(__always)
  private func forEachQuery(_ row: Int, _ end: Int, _ body: (Int, Int, Range<Int>) -> Void) {
    var row = row
    while row < end {
      let next = min(end, (row / group + 1) * group)
      body(row, next, places(row, row))
      row = next
    }
  }

  private func addValues<E: TileElement>(
    _ values: Grid<E>, _ chunk: Range<Int>, _ row: Int, _ end: Int, _ seen: Range<Int>,
    ahead: UnsafePointer<Float>? = nil
  ) {
    let range = seen.clamped(to: chunk)
    if range.isEmpty { return }
    multiplyTile(
      Grid(
        scratch.weights + row * scratch.weightStep + range.lowerBound, rowStep: scratch.weightStep,
        step: 1),
      values.row(range.lowerBound - chunk.lowerBound),
      rows: end - row, columns: shape.size, depth: range.count,
      into: scratch.sums + row * shape.size,
      rowStep: shape.size, step: 16, adding: true, ahead: ahead)
  }
}
