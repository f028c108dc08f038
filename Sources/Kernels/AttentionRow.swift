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
  /// What scores are multiplied by: 1 / sqrt(size).
  public let scale: Float

  /// Heads of `size` floats, `keyValueHeads` of which hold keys and values.
  public init(heads: Int, keyValueHeads: Int, size: Int, window: Int = .max) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.size = size
    self.window = window
    scale = 1 / Float(size).squareRoot()
  }

  /// Floats from one token's keys (or values) to the next token's.
  public var stride: Int { keyValueHeads * size }

  /// The positions that the token at `position` sees.
  public func visible(from position: Int) -> Range<Int> {
    max(0, position - (window - 1))..<position + 1
  }

  /// The first float of the keys that query head `head` looks at.
  func keyOffset(_ head: Int) -> Int { head / (heads / keyValueHeads) * size }
}

/// softmax(q kᵀ scale) v for every head of one token that sees the `visible` rows of `segments`, counted through.
///
/// - Parameters:
///   - q: the token's queries [H·D].
///   - segments: rows of all key-value heads in order.
///   - scratch: room for a float per visible row.
///   - out: [H·D], written.
///   - normalisers: where given, receives ln Σ exp(score) of each head.
public func attentionRow(
  _ q: UnsafePointer<Float>, _ segments: UnsafeBufferPointer<KeyValueSegment>, visible: Range<Int>,
  _ shape: AttentionShape, scratch: UnsafeMutablePointer<Float>, out: UnsafeMutablePointer<Float>,
  normalisers: UnsafeMutablePointer<Float>?
) {
  out.update(repeating: 0, count: shape.heads * shape.size)
  for head in 0..<shape.heads {
    let offset = shape.keyOffset(head)
    forEachSegment(segments, visible) { segment, first, rows in
      attentionScores(
        q + head * shape.size, segment.keys + offset + first * shape.stride, stride: shape.stride,
        count: rows.count, size: shape.size, scale: shape.scale, into: scratch + rows.lowerBound)
    }
    let normaliser = softmaxInPlace(scratch, visible.count)
    normalisers?[head] = normaliser
    forEachSegment(segments, visible) { segment, first, rows in
      addWeighted(
        scratch + rows.lowerBound, segment.values + offset + first * shape.stride,
        stride: shape.stride, count: rows.count, size: shape.size, to: out + head * shape.size)
    }
  }
}

/// Calls `body` with each segment that has visible rows: the first of them, and their places among all visible rows.
@inline(__always)
private func forEachSegment(
  _ segments: UnsafeBufferPointer<KeyValueSegment>, _ visible: Range<Int>,
  _ body: (_ segment: KeyValueSegment, _ first: Int, _ rows: Range<Int>) -> Void
) {
  var start = 0
  for segment in segments where start < visible.upperBound {
    let rows = visible.clamped(to: start..<start + segment.count)
    if !rows.isEmpty {
      let place = rows.lowerBound - visible.lowerBound
      body(segment, rows.lowerBound - start, place..<place + rows.count)
    }
    start += segment.count
  }
}

/// Adds the gradient of one head of one token to dq [D] and to the dk, dv of the `visible` keys it saw.
///
/// p = exp(s − ln Σ exp s);  dv += p dout;  dp = dout · v;  ds = p (dp − dout · out) scale;  dq += ds k;  dk += ds q.
/// All pointers stand at this head's first float; `scratch` has room for 2 `visible` floats.
public func attentionHeadBackward(
  q: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>, visible: Int,
  _ shape: AttentionShape, normaliser: Float, out: UnsafePointer<Float>,
  gradient: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>,
  dq: UnsafeMutablePointer<Float>?, dk: UnsafeMutablePointer<Float>?,
  dv: UnsafeMutablePointer<Float>?
) {
  let (size, stride) = (shape.size, shape.stride)
  let p = scratch
  let ds = scratch + visible
  attentionScores(
    q, keys, stride: stride, count: visible, size: size, scale: shape.scale, into: p)
  exponential(p, minus: normaliser, into: p, visible)
  attentionScores(gradient, values, stride: stride, count: visible, size: size, scale: 1, into: ds)
  let shared = dot(gradient, out, size)
  for t in 0..<visible { ds[t] = p[t] * (ds[t] - shared) * shape.scale }
  if let dq { addWeighted(ds, keys, stride: stride, count: visible, size: size, to: dq) }
  if let dk { for t in 0..<visible { addScaled(ds[t], q, to: dk + t * stride, size) } }
  if let dv { for t in 0..<visible { addScaled(p[t], gradient, to: dv + t * stride, size) } }
}
