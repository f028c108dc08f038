import Tensors

// One block of a decoder-only transformer, of whichever family: what the architecture chooses is
// asked for here, and computed by the operations of `Tensors/Fused`.

/// The causal attention of queries [N, H·D] over keys and values [N, KV·D]: [N, H·D].
typealias Attend = (_ q: Tensor, _ k: Tensor, _ v: Tensor) throws -> Tensor

/// Attention and a feed-forward part, which both add to the residual stream x [N, C].
struct DecoderLayer {
  private let attentionNorm, feedForwardNorm: any Norm
  private let normPlacement: Architecture.NormPlacement
  private let inputs: AttentionInputs
  private let output: Linear  // [C, H·D]
  private let feedForward: FeedForward

  /// A block of `layout` that rotates queries and keys by a table, if there is one.
  init(
    _ layout: BlockLayout, _ architecture: Architecture, _ rotary: RotaryTable?,
    _ weights: ModelWeights
  ) throws {
    attentionNorm = try makeNorm(layout.norm(.attentionNorm), weights)
    feedForwardNorm = try makeNorm(layout.norm(.feedForwardNorm), weights)
    normPlacement = architecture.normPlacement
    inputs = try AttentionInputs(layout, architecture, rotary, weights)
    output = try Linear(layout.linear(.attentionOutput), weights)
    feedForward = try FeedForward(layout, architecture, weights)
  }

  /// x + attention(x) for the rows `outputRows` (all if nil); `attend` is called once, with all
  /// rows.
  func attention(_ x: Tensor, positions: [Int], outputRows: [Int]?, attend: Attend) throws -> Tensor
  {
    try adding(output, to: x, attentionNorm, outputRows: outputRows) { h in
      let (q, k, v) = try inputs(h, positions: positions)
      return try attend(q, k, v)
    }
  }

  /// x + feedForward(x).
  func feedForward(_ x: Tensor) throws -> Tensor {
    try adding(feedForward.down, to: x, feedForwardNorm, feedForward.inner)
  }

  /// x and what a part of the block gives, which ends with `projection` and has a norm before it or
  /// behind it.
  private func adding(
    _ projection: Linear, to x: Tensor, _ norm: any Norm, outputRows: [Int]? = nil,
    _ part: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    let h = try part(normPlacement == .pre ? norm(x) : x).rows(outputRows)
    let x = try x.rows(outputRows)
    switch normPlacement {
    case .pre: return try projection(h, addedTo: x)
    case .post: return try x + norm(projection(h))
    }
  }
}

/// Queries [N, H·D], keys and values [N, KV·D] of an attention, as it reads them.
private struct AttentionInputs {
  /// Three maps, or one of all three.
  private let projections: [Linear]
  /// Columns of queries, and of keys and of values.
  private let widths: (queries: Int, keys: Int)
  /// Norms of queries and of keys.
  private let norms: (queries: any Norm, keys: any Norm)?
  private let rotary: RotaryTable?

  init(
    _ layout: BlockLayout, _ a: Architecture, _ rotary: RotaryTable?, _ weights: ModelWeights
  ) throws {
    projections = try layout.attentionInputs.map { try Linear($0, weights) }
    widths = (a.headCount * a.headSize, a.keyValueHeadCount * a.headSize)
    norms =
      a.queryKeyNorm == .none
      ? nil
      : try (
        makeNorm(layout.norm(.queryNorm), weights), makeNorm(layout.norm(.keyNorm), weights)
      )
    self.rotary = rotary
  }

  func callAsFunction(_ h: Tensor, positions: [Int]) throws -> (q: Tensor, k: Tensor, v: Tensor) {
    var (q, k, v) = try projected(h)
    if let norms { (q, k) = try (norms.queries(q), norms.keys(k)) }
    if let rotary {
      q = try .rotary(q, positions: positions, rotary)
      k = try .rotary(k, positions: positions, rotary)
    }
    return (q, k, v)
  }

  private func projected(_ h: Tensor) throws -> (Tensor, Tensor, Tensor) {
    guard projections.count == 1 else {
      let all = try projections(h)
      return (all[0], all[1], all[2])
    }
    let all = try projections[0](h)
    func columns(_ start: Int, _ count: Int) throws -> Tensor {
      try all.narrow(dim: 1, start: start, length: count)
    }
    let (queries, keys) = widths
    return try (
      columns(0, queries), columns(queries, keys), columns(queries + keys, keys)
    )
  }
}

/// The feed-forward part of a block.
private struct FeedForward {
  /// The map that its activation is multiplied by, where it has a gate.
  private let gate: Linear?
  private let up: Linear  // [I, C]
  private let activation: Architecture.Activation
  let down: Linear  // [C, I]

  init(_ layout: BlockLayout, _ architecture: Architecture, _ weights: ModelWeights) throws {
    switch architecture.feedForward {
    case .swiGLU: (gate, activation) = try (Linear(layout.linear(.gate), weights), .silu)
    case .mlp(let function): (gate, activation) = (nil, function)
    }
    up = try Linear(layout.linear(.up), weights)
    down = try Linear(layout.linear(.down), weights)
  }

  /// What `down` maps.
  func inner(_ x: Tensor) throws -> Tensor {
    if let gate { return try Linear.swiGLU(x, gate: gate, up: up) }
    let h = try up(x)
    switch activation {
    case .gelu: return try h.gelu()
    case .geluTanh: return try h.geluTanh()
    case .relu: return try h.relu()
    case .silu: return try h * h.sigmoid()
    }
  }
}

extension Tensor {
  /// The rows with these indices, or all.
  func rows(_ indices: [Int]?) throws -> Tensor {
    guard let indices else { return self }
    return try .embedding(indices, .float32(self))
  }
}
