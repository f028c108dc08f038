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
    let segments = (0..<batch.count).map { s in
      let start = batch.offsets[s] * shape.stride
      return KeyValueSegment(
        keys: k.pointer + start, values: v.pointer + start, count: batch[s].count)
    }
    let normalisers = Tensor.records(q, k, v) ? Storage(count: tokens * shape.heads) : nil
    let out = try attend(
      q, batch: batch, shape: shape, segments: segments, bounds: Array(0...batch.count),
      normalisers: normalisers)
    return recorded("attention", [q, k, v], out) {
      [q = q.detached(), k = k.detached(), v = v.detached()] dout, into in
      guard let normalisers else { return }
      attentionGradient(q, k, v, out, normalisers, dout, batch, shape, into)
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
        let scratch = Storage(count: longest)
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
        let scratch = Storage(count: 2 * rows.count)
        for row in rows {
          let visible = shape.visible(from: row - rows.lowerBound)
          let first =
            (rows.lowerBound + visible.lowerBound) * shape.stride + kv * shape.size
          for head in kv * group..<(kv + 1) * group {
            let at = row * width + head * shape.size
            attentionHeadBackward(
              q: q.pointer + at, keys: k.pointer + first, values: v.pointer + first,
              visible: visible.count, shape,
              normaliser: normalisers.pointer[row * shape.heads + head], out: out.pointer + at,
              gradient: dout + at, scratch: scratch.pointer, dq: into[0].map { $0 + at },
              dk: into[1].map { $0 + first }, dv: into[2].map { $0 + first })
          }
        }
      }
    }
  }
}
