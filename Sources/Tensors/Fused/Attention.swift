import Kernels

extension Tensor {
  /// Causal attention of each sequence over itself, with grouped queries: softmax(q kᵀ / √D) v.
  ///
  /// A token sees itself and what comes before it, as far as the shape's sliding window reaches.
  /// q is [N, H·D], k and v are [N, KV·D]; the result is [N, H·D]. Nothing of size T × T is kept.
  public static func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, batch: RaggedBatch, shape: AttentionShape
  ) throws(TensorError) -> Tensor {
    let tokens = batch.tokenCount
    guard q.shape == [tokens, shape.heads * shape.size], k.shape == [tokens, shape.stride],
      v.shape == k.shape
    else {
      throw TensorError(
        "attention: shapes \(q.shape), \(k.shape), \(v.shape) do not fit \(tokens) tokens of "
          + "\(shape.heads) and \(shape.keyValueHeads) heads of size \(shape.size)")
    }
    let blocks = try keyBlocks(k, batch, shape)
    let segments = (0..<batch.count).map { s in
      KeyValueSegment(
        keys: blocks.storage.pointer + blocks.starts[s],
        keyHeadStride: keyBlocksCount(batch[s].count, size: shape.size),
        values: v.pointer + batch.offsets[s] * shape.stride, count: batch[s].count)
    }
    let normalisers =
      try Tensor.records(q, k, v) ? Storage(count: tokens * shape.heads, for: "attention") : nil
    let out = try attend(
      q, batch: batch, shape: shape, segments: segments, bounds: Array(0...batch.count),
      normalisers: normalisers)
    withExtendedLifetime(blocks) {}
    return recorded("attention", [q, k, v], out) {
      [q = q.detached(), k = k.detached(), v = v.detached()] dout, into in
      guard let normalisers else { return }
      attentionGradient(q, k, v, out, normalisers, dout, batch, shape, into)
    }
  }

  /// The keys of all sequences in blocks, and where each sequence's begin.
  private static func keyBlocks(
    _ k: Tensor, _ batch: RaggedBatch, _ shape: AttentionShape
  ) throws(TensorError) -> (storage: Storage, starts: [Int]) {
    var starts = [0]
    for s in 0..<batch.count {
      starts.append(
        starts[s] + shape.keyValueHeads * keyBlocksCount(batch[s].count, size: shape.size))
    }
    let storage = try Storage(zeros: starts[batch.count], for: "attention")
    Team.shared.forEach(batch.count * shape.keyValueHeads, atLeast: 4) { tasks in
      for task in tasks {
        let (s, kv) = (task / shape.keyValueHeads, task % shape.keyValueHeads)
        let rows = batch[s]
        let start = starts[s] + kv * keyBlocksCount(rows.count, size: shape.size)
        storeRows(k.pointer, rows, kv, shape, into: storage.pointer + start)
      }
    }
    return (storage, starts)
  }

  /// Puts one head of the rows [·, KV·D] into blocks.
  private static func storeRows(
    _ x: UnsafePointer<Float>, _ rows: Range<Int>, _ kv: Int, _ shape: AttentionShape,
    into blocks: UnsafeMutablePointer<Float>
  ) {
    for (slot, row) in rows.enumerated() {
      storeKey(
        x + row * shape.stride + kv * shape.size, size: shape.size, slot: slot, into: blocks)
    }
  }

  /// Attention of each sequence's new tokens over cached keys and values, which hold the new ones already.
  ///
  /// Sequence s sees `segments[bounds[s] ..< bounds[s + 1]]`, which a token sees as in `attention`.
  /// The arithmetic is that of `attention`, so the results have the same bits. Not differentiable.
  public static func attention(
    _ q: Tensor, batch: RaggedBatch, shape: AttentionShape, segments: [KeyValueSegment],
    bounds: [Int]
  ) throws(TensorError) -> Tensor {
    try attend(
      q, batch: batch, shape: shape, segments: segments, bounds: bounds, normalisers: nil)
  }

  private static func attend(
    _ q: Tensor, batch: RaggedBatch, shape: AttentionShape, segments: [KeyValueSegment],
    bounds: [Int], normalisers: Storage?
  ) throws(TensorError) -> Tensor {
    let out = try result(q.shape, for: "attention")
    let (positions, sequences) = (batch.positions, batch.sequences)
    let width = shape.heads * shape.size
    let longest = (positions.max() ?? 0) + 1
    let grain = max(1, 65_536 / (width * longest))
    segments.withUnsafeBufferPointer { segments in
      Team.shared.forEach(batch.tokenCount, atLeast: grain) { rows in
        let scratch = Storage(count: longest + keyBlock)
        for row in rows {
          let s = sequences[row]
          attentionRow(
            q.pointer + row * width,
            UnsafeBufferPointer(rebasing: segments[bounds[s]..<bounds[s + 1]]),
            visible: shape.visible(from: positions[row]), shape, scratch: scratch.pointer,
            out: out.pointer + row * width,
            normalisers: normalisers.map { $0.pointer + row * shape.heads })
        }
      }
    }
    return out
  }

  /// One task per sequence and key-value head, so that no two threads add to the same gradient.
  private static func attentionGradient(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ out: Tensor, _ normalisers: Storage,
    _ dout: UnsafePointer<Float>, _ batch: RaggedBatch, _ shape: AttentionShape,
    _ into: InputGradients
  ) {
    let group = shape.heads / shape.keyValueHeads
    let width = shape.heads * shape.size
    Team.shared.forEach(batch.count * shape.keyValueHeads, atLeast: 1) { tasks in
      for task in tasks {
        let rows = batch[task / shape.keyValueHeads]
        let kv = task % shape.keyValueHeads
        let scratch = Storage(count: 2 * (rows.count + keyBlock))
        let size = keyBlocksCount(rows.count, size: shape.size)
        let blocks = Storage(zeros: 2 * size)
        storeRows(k.pointer, rows, kv, shape, into: blocks.pointer)
        storeRows(v.pointer, rows, kv, shape, into: blocks.pointer + size)
        let first = rows.lowerBound * shape.stride + kv * shape.size
        let keyValueHead = AttentionHead(
          keyBlocks: blocks.pointer, valueBlocks: blocks.pointer + size, keys: k.pointer + first)
        for row in rows {
          for head in kv * group..<(kv + 1) * group {
            let at = row * width + head * shape.size
            attentionHeadBackward(
              q: q.pointer + at, keyValueHead,
              visible: shape.visible(from: row - rows.lowerBound), shape,
              normaliser: normalisers.pointer[row * shape.heads + head], out: out.pointer + at,
              gradient: dout + at, scratch: scratch.pointer, dq: into[0].map { $0 + at },
              dk: into[1].map { $0 + first }, dv: into[2].map { $0 + first })
          }
        }
      }
    }
  }
}
