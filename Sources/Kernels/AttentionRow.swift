// All heads of one token, forward and backward.

/// The sizes that an attention kernel needs.
public struct AttentionShape: Sendable {
  /// Query heads.
  public let heads: Int
  /// Key and value heads; a divisor of `heads` (grouped queries).
  public let keyValueHeads: Int
  /// Floats per head.
  public let size: Int
  /// Tokens that a token sees, itself included: the sliding window, or `Int.max` for all.
  public let window: Int
  /// What scores are multiplied by: 1 / sqrt(size) unless a model says otherwise.
  public let scale: Float

  /// Heads of `size` floats, `keyValueHeads` of which hold keys and values.
  public init(
    heads: Int, keyValueHeads: Int, size: Int, window: Int = .max, scale: Float? = nil
  ) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.size = size
    self.window = window
    self.scale = scale ?? 1 / Float(size).squareRoot()
  }

  /// Floats from one token's keys (or values) to the next token's.
  public var stride: Int { keyValueHeads * size }

  /// The positions that the token at `position` sees.
  public func visible(from position: Int) -> Range<Int> {
    max(0, position - (window - 1))..<position + 1
  }

  /// The key-value head that query head `head` looks at.
  func keyValueHead(_ head: Int) -> Int { head / (heads / keyValueHeads) }
}

/// softmax(q kᵀ scale) v for every head of one token that sees the `visible` rows of `segments`, counted through.
///
/// - Parameters:
///   - q: the token's queries [H·D].
///   - segments: rows of all key-value heads in order.
///   - scratch: room for a float per visible row and 16 more.
///   - out: [H·D], written.
///   - normalisers: where given, receives ln Σ exp(score) of each head.
public func attentionRow(
  _ q: UnsafePointer<Float>, _ segments: UnsafeBufferPointer<KeyValueSegment>, visible: Range<Int>,
  _ shape: AttentionShape, scratch: UnsafeMutablePointer<Float>, out: UnsafeMutablePointer<Float>,
  normalisers: UnsafeMutablePointer<Float>?
) {
  out.update(repeating: 0, count: shape.heads * shape.size)
  for head in 0..<shape.heads {
    let kv = shape.keyValueHead(head)
    forEachSegment(segments, visible) { segment, rows, place in
      attentionScores(
        q + head * shape.size, segment.keys + kv * segment.keyHeadStride, rows: rows,
        size: shape.size, scale: shape.scale, into: scratch + place)
    }
    let normaliser = softmaxInPlace(scratch, visible.count)
    normalisers?[head] = normaliser
    forEachSegment(segments, visible) { segment, rows, place in
      addWeighted(
        scratch + place, segment.values + kv * shape.size + rows.lowerBound * shape.stride,
        stride: shape.stride, count: rows.count, size: shape.size, to: out + head * shape.size)
    }
  }
}

/// Calls `body` with each segment that has visible rows: which of its rows, and the place of the first among all visible ones.
@inline(__always)
private func forEachSegment(
  _ segments: UnsafeBufferPointer<KeyValueSegment>, _ visible: Range<Int>,
  _ body: (_ segment: KeyValueSegment, _ rows: Range<Int>, _ place: Int) -> Void
) {
  var start = 0
  for segment in segments where start < visible.upperBound {
    let seen = visible.clamped(to: start..<start + segment.count)
    if !seen.isEmpty {
      body(
        segment, seen.lowerBound - start..<seen.upperBound - start,
        seen.lowerBound - visible.lowerBound)
    }
    start += segment.count
  }
}

/// One key-value head of one sequence, as its gradient needs it: keys and values in blocks, and as rows.
public struct AttentionHead {
  let keyBlocks: UnsafePointer<Float>
  let valueBlocks: UnsafePointer<Float>
  let keys: UnsafePointer<Float>

  /// `keys` are the head's rows, as far apart as the shape's stride.
  public init(
    keyBlocks: UnsafePointer<Float>, valueBlocks: UnsafePointer<Float>, keys: UnsafePointer<Float>
  ) {
    self.keyBlocks = keyBlocks
    self.valueBlocks = valueBlocks
    self.keys = keys
  }
}

/// Adds the gradient of one head of one token to dq [D] and to the dk, dv of the `visible` keys it saw.
///
/// p = exp(s − ln Σ exp s);  dv += p dout;  dp = dout · v;  ds = p (dp − dout · out) scale;  dq += ds k;  dk += ds q.
/// q, out, gradient and dq stand at the token's head, dk and dv at the sequence's first row of the key-value head;
/// `scratch` has room for 2 floats per visible key and 32 more.
public func attentionHeadBackward(
  q: UnsafePointer<Float>, _ head: AttentionHead, visible: Range<Int>, _ shape: AttentionShape,
  normaliser: Float, out: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
  scratch: UnsafeMutablePointer<Float>, dq: UnsafeMutablePointer<Float>?,
  dk: UnsafeMutablePointer<Float>?, dv: UnsafeMutablePointer<Float>?
) {
  let (size, stride, count) = (shape.size, shape.stride, visible.count)
  let p = scratch
  let ds = scratch + count + keyBlock
  attentionScores(q, head.keyBlocks, rows: visible, size: size, scale: shape.scale, into: p)
  exponential(p, minus: normaliser, into: p, count)
  attentionScores(gradient, head.valueBlocks, rows: visible, size: size, scale: 1, into: ds)
  let shared = dot(gradient, out, size)
  for t in 0..<count { ds[t] = p[t] * (ds[t] - shared) * shape.scale }
  let first = visible.lowerBound * stride
  if let dq {
    addWeighted(ds, head.keys + first, stride: stride, count: count, size: size, to: dq)
  }
  if let dk { for t in 0..<count { addScaled(ds[t], q, to: dk + first + t * stride, size) } }
  if let dv { for t in 0..<count { addScaled(p[t], gradient, to: dv + first + t * stride, size) } }
}
