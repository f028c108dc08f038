import Tensors

// The parts that blocks are made of: a weight or two and the operation that uses them.

/// The weights of a model that is being built, by their names.
struct ModelWeights {
  private let weights: [String: Weight]
  /// What is added to the linear maps of the layers.
  private let adapter: LoRA?

  init(_ weights: [(name: String, weight: Weight)], adapter: LoRA?) {
    self.weights = Dictionary(uniqueKeysWithValues: weights)
    self.adapter = adapter
  }

  /// A weight of the layout that the model is built by.
  subscript(shape: WeightShape) -> Weight {
    guard let weight = weights[shape.name] else {
      preconditionFailure("'\(shape.name)' is not in ModelLayout.weights")
    }
    return weight
  }

  /// A bias or the weight of a norm, which is always a float32 tensor.
  func vector(_ shape: WeightShape) throws -> Tensor { try self[shape].floats() }

  /// What an adapter adds to a map.
  func update(of shape: LinearShape) -> LowRankUpdate? { adapter?.update(of: shape) }
}

/// An affine map y = x Wᵀ + b with W [out, in], and what an adapter adds to it.
struct Linear {
  let weight: Weight
  let bias: Tensor?
  let update: LowRankUpdate?

  init(_ shape: LinearShape, _ weights: ModelWeights) throws {
    weight = weights[shape.weight]
    bias = try shape.bias.map(weights.vector)
    update = weights.update(of: shape)
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    let y = try Tensor.linear(x, weight, bias: bias)
    return try update.map { try .adding($0, of: x, to: y) } ?? y
  }

  /// The map of x, added to `residual`.
  func callAsFunction(_ x: Tensor, addedTo residual: Tensor) throws -> Tensor {
    update == nil ? try .linear(x, map, addedTo: residual) : try residual + self(x)
  }

  /// silu(gate(x)) up(x).
  static func swiGLU(_ x: Tensor, gate: Linear, up: Linear) throws -> Tensor {
    guard gate.update == nil, up.update == nil else { return try .swiGLU(gate(x), up(x)) }
    return try .swiGLU(x, gate: gate.map, up: up.map)
  }

  fileprivate var map: LinearMap { LinearMap(weight, bias: bias) }
}

extension [Linear] {
  /// The maps of one input, in their order.
  func callAsFunction(_ x: Tensor) throws -> [Tensor] {
    try zip(self, Tensor.linears(x, map(\.map))).map { linear, y in
      try linear.update.map { try .adding($0, of: x, to: y) } ?? y
    }
  }
}

/// Normalises the rows of its input, or as many elements at a time as its weight has.
protocol Norm {
  func callAsFunction(_ x: Tensor) throws -> Tensor
}

/// The norm of a shape.
func makeNorm(_ shape: NormShape, _ weights: ModelWeights) throws -> any Norm {
  let weight = try weights.vector(shape.weight)
  guard let bias = try shape.bias.map(weights.vector) else {
    return RMSNorm(weight: weight, epsilon: shape.epsilon)
  }
  return LayerNorm(weight: weight, bias: bias, epsilon: shape.epsilon)
}

/// x w / sqrt(mean(x²) + ε).
struct RMSNorm: Norm {
  let weight: Tensor  // [C]
  let epsilon: Float

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try .rmsNorm(x, weight: weight, epsilon: epsilon)
  }
}

/// (x − mean) w / sqrt(variance + ε) + b.
struct LayerNorm: Norm {
  let weight: Tensor  // [C]
  let bias: Tensor  // [C]
  let epsilon: Float

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try .layerNorm(x, weight: weight, bias: bias, epsilon: epsilon)
  }
}
