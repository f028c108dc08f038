// Attention backward: the gradients of one key-value head of one sequence, and of the query heads
// that look at it.
//
// p = exp(s − ln Σ exp s);  dv += pᵀ dout;  dp = dout vᵀ;  ds = p (dp − dout · out) scale;
// dq += ds k;  dk += dsᵀ q. Blocks of 32 queries: p and ds [32, keys] are computed and then
// multiplied in tiles (see `multiplyTile`). Weights of keys that a query does not see are zero, and
// tiles leave out what no query of theirs sees. Every sum runs over the heads, queries or keys in
// their order.

/// One key-value head of one sequence, and the scratch memory for its gradient.
public struct AttentionGradient {
  let shape: AttentionShape
  let head: Int
  let count: Int
  let keyBlocks, valueBlocks, queries, weights, products, shared: UnsafeMutablePointer<Float>
  /// Row stride of the weights, in floats.
  let step: Int

  /// Inputs from the forward pass and outputs of the gradient, all at the sequence's first row.
  public struct Rows {
    let q, k, v, out, gradient, normalisers: UnsafePointer<Float>
    let dq, dk, dv: UnsafeMutablePointer<Float>?

    /// Queries and outputs [T, H·D], keys and values [T, KV·D], normalisers [T, H]; a gradient that
    /// is nil is not computed.
    public init(
      q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>,
      out: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
      normalisers: UnsafePointer<Float>, dq: UnsafeMutablePointer<Float>?,
      dk: UnsafeMutablePointer<Float>?, dv: UnsafeMutablePointer<Float>?
    ) {
      (self.q, self.k, self.v, self.out) = (q, k, v, out)
      (self.gradient, self.normalisers) = (gradient, normalisers)
      (self.dq, self.dk, self.dv) = (dq, dk, dv)
    }
  }

  /// Queries that are computed together.
  private static let queryBlock = 32

  /// Floats of scratch that a sequence of `count` tokens needs.
  public static func scratchCount(_ shape: AttentionShape, count: Int) -> Int {
    2 * keyBlocksCount(count, size: shape.size)
      + queryBlock * (shape.size + 2 * weightStep(count) + 1)
  }

  /// Not a power of two: columns of the weights are read as well.
  private static func weightStep(_ count: Int) -> Int { (count + 15) / 16 * 16 + 16 }

  /// A key-value head of a sequence of `count` tokens.
  public init(
    _ shape: AttentionShape, keyValueHead head: Int, count: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    (self.shape, self.head, self.count) = (shape, head, count)
    step = AttentionGradient.weightStep(count)
    keyBlocks = scratch
    valueBlocks = keyBlocks + keyBlocksCount(count, size: shape.size)
    weights = valueBlocks + keyBlocksCount(count, size: shape.size)
    products = weights + AttentionGradient.queryBlock * step
    shared = products + AttentionGradient.queryBlock * step
    queries = shared + AttentionGradient.queryBlock
  }

  /// Adds the gradients of this head to the dq, dk and dv of the rows.
  public func add(_ rows: Rows) {
    let size = shape.size
    storeKeys(
      rows.k + head * size, stride: shape.stride, count: count, size: size, into: keyBlocks)
    storeKeys(
      rows.v + head * size, stride: shape.stride, count: count, size: size, into: valueBlocks)
    let group = shape.heads / shape.keyValueHeads
    for queryHead in head * group..<(head + 1) * group {
      for first in stride(from: 0, to: count, by: AttentionGradient.queryBlock) {
        let positions = first..<min(count, first + AttentionGradient.queryBlock)
        computeWeights(rows, queryHead, positions)
        if let dq = rows.dq { addToQueries(dq, rows, queryHead, positions) }
        addToKeys(rows, queryHead, positions)
      }
    }
  }

  /// Computes p into `weights` and ds into `products`, for all keys that one of the queries sees;
  /// rows count from the block's first.
  private func computeWeights(_ rows: Rows, _ queryHead: Int, _ positions: Range<Int>) {
    let (size, width) = (shape.size, shape.heads * shape.size)
    let first = positions.lowerBound * width + queryHead * size
    for row in 0..<positions.count {
      let at = first + row * width
      scale(shape.scale, rows.q + at, into: queries + row * size, size)
      shared[row] = dot(rows.gradient + at, rows.out + at, size)
    }
    // Prefetch the next block's first rows.
    for next in [rows.q, rows.gradient, rows.out] {
      prefetch(
        next + first + positions.count * width, rows: positions.count, stride: width, size)
    }
    multiply(Grid(queries, rowStep: size, step: 1), keyBlocks, positions, into: weights)
    multiply(
      Grid(rows.gradient + first, rowStep: width, step: 1), valueBlocks, positions, into: products)
    for row in 0..<positions.count {
      computeWeights(
        row, positions,
        normaliser: rows.normalisers[(positions.lowerBound + row) * shape.heads + queryHead])
    }
  }

  /// Products of the rows of `a` with the keys or values in blocks, as far as the rows of a tile
  /// see.
  private func multiply(
    _ a: Grid<Float>, _ blocks: UnsafePointer<Float>, _ positions: Range<Int>,
    into y: UnsafeMutablePointer<Float>
  ) {
    let seen = blockRange(positions)
    for block in stride(from: seen.lowerBound, to: seen.upperBound, by: 4) {
      for row in stride(from: 0, to: positions.count, by: tileRows) {
        let tile = tilePositions(row, positions)
        let visible = blockRange(tile)
        let vectors = min(4, visible.upperBound - block)
        if vectors <= 0 || visible.lowerBound >= block + vectors { continue }
        multiplyTile(
          Grid(a.pointer + row * a.rowStep, rowStep: a.rowStep, step: 1),
          Grid(
            blocks + block * keyBlock * shape.size, rowStep: keyBlock,
            step: keyBlock * shape.size), rows: tile.count, columns: vectors * 16,
          depth: shape.size, into: y + row * step + block * keyBlock, rowStep: step, step: 16)
      }
    }
  }

  /// The blocks of keys that any of the queries at `positions` sees.
  private func blockRange(_ positions: Range<Int>) -> Range<Int> {
    let seen = shape.visible(through: positions)
    return seen.lowerBound / keyBlock..<(seen.upperBound + keyBlock - 1) / keyBlock
  }

  /// The positions of the queries of the tile that begins with this row.
  private func tilePositions(_ row: Int, _ positions: Range<Int>) -> Range<Int> {
    positions.lowerBound + row..<min(positions.upperBound, positions.lowerBound + row + tileRows)
  }

  /// Computes p and ds of one row from scores and dp; zero for keys that other queries of the block
  /// see but this one does not.
  private func computeWeights(_ row: Int, _ positions: Range<Int>, normaliser: Float) {
    let (p, ds, shared) = (weights + row * step, products + row * step, shared[row])
    let seen = shape.visible(from: positions.lowerBound + row)
    let blocks = blockRange(seen.upperBound - 1..<seen.upperBound)
    for t in stride(from: blocks.lowerBound * 16, to: blocks.upperBound * 16, by: 16) {
      let weight = exponential(Vector(at: p + t) - normaliser)
      weight.store(to: p + t)
      (weight * (Vector(at: ds + t) - shared) * shape.scale).store(to: ds + t)
    }
    let all = blockRange(positions)
    for zero in [
      all.lowerBound * keyBlock..<seen.lowerBound, seen.upperBound..<all.upperBound * keyBlock,
    ] {
      (p + zero.lowerBound).update(repeating: 0, count: zero.count)
      (ds + zero.lowerBound).update(repeating: 0, count: zero.count)
    }
  }

  /// dq += ds k.
  private func addToQueries(
    _ dq: UnsafeMutablePointer<Float>, _ rows: Rows, _ queryHead: Int, _ positions: Range<Int>
  ) {
    let (size, width) = (shape.size, shape.heads * shape.size)
    let first = dq + positions.lowerBound * width + queryHead * size
    let seen = shape.visible(through: positions)
    for start in stride(from: seen.lowerBound, to: seen.upperBound, by: valueChunk) {
      for row in stride(from: 0, to: positions.count, by: tileRows) {
        let tile = tilePositions(row, positions)
        let keys = shape.visible(through: tile).clamped(to: start..<start + valueChunk)
        if keys.isEmpty { continue }
        multiplyTile(
          Grid(products + row * step + keys.lowerBound, rowStep: step, step: 1),
          Grid(
            rows.k + keys.lowerBound * shape.stride + head * size, rowStep: shape.stride, step: 16),
          rows: tile.count, columns: size, depth: keys.count, into: first + row * width,
          rowStep: width, step: 16, adding: true)
      }
    }
  }

  /// dk += dsᵀ q and dv += pᵀ dout, four keys at a time.
  private func addToKeys(_ rows: Rows, _ queryHead: Int, _ positions: Range<Int>) {
    let (size, width) = (shape.size, shape.heads * shape.size)
    let seen = shape.visible(through: positions)
    for key in stride(from: seen.lowerBound, to: seen.upperBound, by: tileRows) {
      let count = min(tileRows, seen.upperBound - key)
      let reach = shape.window < self.count ? key + count - 1 + shape.window : self.count
      let queries = (key..<reach).clamped(to: positions)
      if queries.isEmpty { continue }
      let at = (queries.lowerBound - positions.lowerBound) * step + key
      let source = queries.lowerBound * width + queryHead * size
      let target = key * shape.stride + head * size
      func add(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>?
      ) {
        guard let y else { return }
        multiplyTile(
          Grid(a + at, rowStep: 1, step: step), Grid(b + source, rowStep: width, step: 16),
          rows: count, columns: size, depth: queries.count, into: y + target,
          rowStep: shape.stride, step: 16, adding: true)
      }
      add(products, rows.q, to: rows.dk)
      add(weights, rows.gradient, to: rows.dv)
    }
  }
}
