import Core
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
      throw .shapes(
        operation: "attention",
        expected: "q [\(tokens), \(shape.heads) x \(shape.size)], k and v "
          + "[\(tokens), \(shape.keyValueHeads) x \(shape.size)]",
        given: [q.shape, k.shape, v.shape])
    }
    let normalisers =
      try Tensor.records(q, k, v) ? Storage(count: tokens * shape.heads, for: "attention") : nil
    let out = try result(q.shape, for: "attention")
    try attend(q, k, v, batch, shape, into: out.pointer, normalisers?.pointer)
    guard records([q, k, v]) else { return out }
    return recorded("attention", [q, k, v], out) {
      [q = q.detached(), k = k.detached(), v = v.detached()] dout, into in
      guard let normalisers else { return }
      try attentionGradient(q, k, v, out, normalisers, dout, batch, shape, into)
    }
  }

  /// One task per sequence and key-value head, which first copies the head's keys into blocks.
  private static func attend(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ batch: RaggedBatch, _ shape: AttentionShape,
    into out: UnsafeMutablePointer<Float>, _ normalisers: UnsafeMutablePointer<Float>?
  ) throws(TensorError) {
    let longest = batch.longest
    let keys = keyBlocksCount(longest, size: shape.size)
    let queries = AttentionBlock.queryCount(shape, keys: longest)
    let scratchCount = keys + AttentionBlock.scratchCount(shape, queries: queries, keys: longest)
    try Memory.requireBuffer(bytes: Team.shared.threads * scratchCount * 4, for: "attention")
    let grain = taskGrain(shape, pairs: longest * longest / 2)
    Team.shared.forEach(batch.count * shape.keyValueHeads, atLeast: grain) { tasks in
      let scratch = Storage(count: scratchCount)
      for task in tasks {
        let (s, kv) = (task / shape.keyValueHeads, task % shape.keyValueHeads)
        let rows = batch[s]
        let first = rows.lowerBound * shape.stride
        storeKeys(
          k.pointer + first + kv * shape.size, stride: shape.stride, count: rows.count,
          size: shape.size, into: scratch.pointer)
        let segment = KeyValueSegment(
          keys: scratch.pointer, keyHeadStride: 0, values: v.pointer + first, shape: shape,
          count: rows.count)
        withUnsafePointer(to: segment) { segment in
          let segments = UnsafeBufferPointer(start: segment, count: 1)
          for start in stride(from: 0, to: rows.count, by: queries) {
            let row = rows.lowerBound + start
            AttentionBlock(
              shape, keyValueHead: kv, positions: start..<min(rows.count, start + queries),
              scratch: scratch.pointer + keys
            ).attend(
              q.pointer + row * q.shape[1], segments, out: out + row * q.shape[1],
              normalisers: normalisers.map { $0 + row * shape.heads })
          }
        }
      }
    }
  }

  /// The least number of tasks worth a thread; a task multiplies `pairs` pairs of a query and a key
  /// for each head of a group.
  static func taskGrain(_ shape: AttentionShape, pairs: Int) -> Int {
    max(1, 65_536 / max(1, pairs * shape.size * shape.group))
  }

  /// One task per sequence and key-value head, so that no two threads add to the same gradient.
  private static func attentionGradient(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ out: Tensor, _ normalisers: Storage,
    _ dout: UnsafePointer<Float>, _ batch: RaggedBatch, _ shape: AttentionShape,
    _ into: InputGradients
  ) throws(TensorError) {
    let width = shape.heads * shape.size
    let scratchCount = AttentionGradient.scratchCount(shape, count: batch.longest)
    try Memory.requireBuffer(bytes: Team.shared.threads * scratchCount * 4, for: "backward")
    Team.shared.forEach(batch.count * shape.keyValueHeads) { tasks in
      let scratch = Storage(count: scratchCount)
      for task in tasks {
        let rows = batch[task / shape.keyValueHeads]
        let (query, key) = (rows.lowerBound * width, rows.lowerBound * shape.stride)
        AttentionGradient(
          shape, keyValueHead: task % shape.keyValueHeads, count: rows.count,
          scratch: scratch.pointer
        ).add(
          .init(
            q: q.pointer + query, k: k.pointer + key, v: v.pointer + key, out: out.pointer + query,
            gradient: dout + query,
            normalisers: normalisers.pointer + rows.lowerBound * shape.heads,
            dq: into[0].map { $0 + query }, dk: into[1].map { $0 + key },
            dv: into[2].map { $0 + key }))
      }
    }
  }
}
