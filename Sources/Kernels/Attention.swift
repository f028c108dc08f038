// One query against the keys and values it may see: softmax(q kᵀ scale) v.
//
// Keys and values come in segments of consecutive rows (a whole sequence in training, pages of a cache in decoding).
// Scores are written to one row in the order of the keys and values are added in that order, so the result does not
// depend on where the segments are cut.

/// Consecutive key and value rows of one head, `stride` floats apart.
public struct KeyValueSegment {
  /// The first key of the head.
  public var keys: UnsafePointer<Float>
  /// The first value of the head.
  public var values: UnsafePointer<Float>
  /// Rows in the segment.
  public var count: Int

  /// A segment of `count` rows.
  public init(keys: UnsafePointer<Float>, values: UnsafePointer<Float>, count: Int) {
    self.keys = keys
    self.values = values
    self.count = count
  }
}

/// scores[t] = q · k[t] scale for `count` keys.
public func attentionScores(
  _ q: UnsafePointer<Float>, _ keys: UnsafePointer<Float>, stride: Int, count: Int, size: Int,
  scale: Float, into scores: UnsafeMutablePointer<Float>
) {
  for t in 0..<count { scores[t] = dot(q, keys + t * stride, size) * scale }
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
