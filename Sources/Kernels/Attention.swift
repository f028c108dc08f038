// One query against the keys and values it may see: softmax(q kᵀ scale) v.
//
// Keys and values come in segments of consecutive rows (a whole sequence in training, pages of a cache in decoding).
// Scores are written to one row in the order of the keys and values are added in that order, so the result does not
// depend on where the segments are cut. Keys are stored across, sixteen to a vector: a score costs no horizontal sum.

/// Keys in one block, whose products with a query fill one vector.
public let keyBlock = 16

/// Consecutive keys and values of all key-value heads.
public struct KeyValueSegment {
  /// The keys of head h begin at `h * keyHeadStride`, in blocks of 16 keys, [⌈count/16⌉][D][16].
  public var keys: UnsafePointer<Float>
  /// Floats from one head's keys to the next head's.
  public var keyHeadStride: Int
  /// Values by rows, [count, KV·D].
  public var values: UnsafePointer<Float>
  /// Keys in the segment.
  public var count: Int

  /// A segment of `count` keys and values.
  public init(
    keys: UnsafePointer<Float>, keyHeadStride: Int, values: UnsafePointer<Float>, count: Int
  ) {
    self.keys = keys
    self.keyHeadStride = keyHeadStride
    self.values = values
    self.count = count
  }
}

/// Floats that the blocks of `count` keys of one head take.
public func keyBlocksCount(_ count: Int, size: Int) -> Int {
  (count + keyBlock - 1) / keyBlock * keyBlock * size
}

/// Writes one key [D] of one head to place `slot` of its blocks.
public func storeKey(
  _ key: UnsafePointer<Float>, size: Int, slot: Int, into blocks: UnsafeMutablePointer<Float>
) {
  let first = blocks + slot / keyBlock * keyBlock * size + slot % keyBlock
  for d in 0..<size { first[d * keyBlock] = key[d] }
}

/// scores[t] = q · k scale for the keys in `rows` of one head's blocks, in their order from 0.
///
/// A score does not depend on which keys stand beside it. Up to 15 floats behind the last score are written as well.
public func attentionScores(
  _ q: UnsafePointer<Float>, _ blocks: UnsafePointer<Float>, rows: Range<Int>, size: Int,
  scale: Float, into scores: UnsafeMutablePointer<Float>
) {
  var block = rows.lowerBound / keyBlock
  let skipped = rows.lowerBound % keyBlock
  if skipped > 0 {
    let partial = blockScores(q, blocks + block * keyBlock * size, size) * scale
    for lane in skipped..<min(keyBlock, skipped + rows.count) {
      scores[lane - skipped] = partial[lane]
    }
    block += 1
  }
  while block * keyBlock < rows.upperBound {
    (blockScores(q, blocks + block * keyBlock * size, size) * scale)
      .store(to: scores + block * keyBlock - rows.lowerBound)
    block += 1
  }
}

/// q · k for the 16 keys of a block; eight chains of additions hide their latency.
@inline(__always)
private func blockScores(
  _ q: UnsafePointer<Float>, _ keys: UnsafePointer<Float>, _ size: Int
) -> Vector {
  var a = Vector.zero, b = Vector.zero, c = Vector.zero, d = Vector.zero
  var e = Vector.zero, f = Vector.zero, g = Vector.zero, h = Vector.zero
  var k = keys
  var i = 0
  while i + 8 <= size {
    a = a.addingProduct(Vector(repeating: q[i]), Vector(at: k))
    b = b.addingProduct(Vector(repeating: q[i + 1]), Vector(at: k + 16))
    c = c.addingProduct(Vector(repeating: q[i + 2]), Vector(at: k + 32))
    d = d.addingProduct(Vector(repeating: q[i + 3]), Vector(at: k + 48))
    e = e.addingProduct(Vector(repeating: q[i + 4]), Vector(at: k + 64))
    f = f.addingProduct(Vector(repeating: q[i + 5]), Vector(at: k + 80))
    g = g.addingProduct(Vector(repeating: q[i + 6]), Vector(at: k + 96))
    h = h.addingProduct(Vector(repeating: q[i + 7]), Vector(at: k + 112))
    k += 128
    i += 8
  }
  while i < size {
    a = a.addingProduct(Vector(repeating: q[i]), Vector(at: k))
    k += 16
    i += 1
  }
  return ((a + b) + (c + d)) + ((e + f) + (g + h))
}

/// Turns scores into softmax weights in place and returns the logarithm of their normaliser.
public func softmaxInPlace(_ scores: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
  let largest = maximum(scores, count)
  let total = exponential(scores, minus: largest, into: scores, count)
  scale(1 / total, scores, into: scores, count)
  return largest + log(total)
}

/// out += Σ_t weights[t] v[t], for `size` floats of each value.
public func addWeighted(
  _ weights: UnsafePointer<Float>, _ values: UnsafePointer<Float>, stride: Int, count: Int,
  size: Int, to out: UnsafeMutablePointer<Float>
) {
  var d = 0
  while d + 64 <= size {
    var a = Vector(at: out + d), b = Vector(at: out + d + 16)
    var c = Vector(at: out + d + 32), e = Vector(at: out + d + 48)
    var row = values + d
    for t in 0..<count {
      let w = Vector(repeating: weights[t])
      a = a.addingProduct(w, Vector(at: row))
      b = b.addingProduct(w, Vector(at: row + 16))
      c = c.addingProduct(w, Vector(at: row + 32))
      e = e.addingProduct(w, Vector(at: row + 48))
      row += stride
    }
    a.store(to: out + d)
    b.store(to: out + d + 16)
    c.store(to: out + d + 32)
    e.store(to: out + d + 48)
    d += 64
  }
  while d + 16 <= size {
    var a = Vector(at: out + d)
    for t in 0..<count {
      a = a.addingProduct(Vector(repeating: weights[t]), Vector(at: values + t * stride + d))
    }
    a.store(to: out + d)
    d += 16
  }
  while d < size {
    var a = out[d]
    for t in 0..<count { a = a.addingProduct(weights[t], values[t * stride + d]) }
    out[d] = a
    d += 1
  }
}
