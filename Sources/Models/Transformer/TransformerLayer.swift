import Tensors

/// The causal attention of queries [N, H·D] over keys and values [N, KV·D]: [N, H·D].
typealias Attend = (_ q: Tensor, _ k: Tensor, _ v: Tensor) throws -> Tensor

/// One block: it adds to the residual stream x [N, C] in two parts.
protocol TransformerLayer {
  /// x + attention(x) for the rows `outputRows` (all if nil); `attend` is called once, with all
  /// rows.
  func attention(_ x: Tensor, positions: [Int], outputRows: [Int]?, attend: Attend) throws -> Tensor
  /// x + feedForward(x).
  func feedForward(_ x: Tensor) throws -> Tensor
}

/// The modules of a model: embeddings, blocks and final norm.
struct TransformerParts {
  let embedTokens: Weight  // [V, C]
  /// A vector for each position, where positions are learned: [P, C].
  let embedPositions: Weight?
  let layers: [any TransformerLayer]
  let norm: any Norm
}

extension TransformerParts {
  /// Asks for the weights of a configuration's family, whose names begin with `prefix`.
  init(_ c: ModelConfiguration, prefix: String, _ parameter: ParameterSource) throws {
    switch c.architecture {
    case .llama: try self.init(llama: c, prefix, parameter)
    case .gpt2: try self.init(gpt2: c, prefix, parameter)
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
