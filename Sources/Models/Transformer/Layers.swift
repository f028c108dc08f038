import Tensors

// The parts that blocks are made of: a weight or two and the operation that uses them.

/// Source of a model's weights while it is built.
struct ParameterSource {
  /// What a weight is used for, which decides how it may be held.
  enum Use {
    /// A bias or the weight of a norm: always a float32 tensor.
    case vector
    /// A matrix [out, in] of a linear layer, or a table whose rows are looked up.
    case matrix
    /// A matrix that is stored [in, out].
    case transposedMatrix

    var isTransposed: Bool { self == .transposedMatrix }
  }

  /// Delivers the weight of a name and shape; a vector is always a float32 tensor.
  let weight: (_ name: String, _ shape: [Int], _ use: Use) throws -> Weight
  /// Registers a linear map of the layers and returns what an adapter adds to it.
  let update: (Projection) -> LowRankUpdate?

  /// A bias or the weight of a norm.
  func callAsFunction(_ name: String, _ shape: [Int]) throws -> Tensor {
    try weight(name, shape, .vector).floats()
  }

  /// A matrix of a linear layer or a table, stored [out, in] or, where `isTransposed`, [in, out].
  func matrix(_ name: String, _ shape: [Int], isTransposed: Bool = false) throws -> Weight {
    try weight(name, shape, isTransposed ? .transposedMatrix : .matrix)
  }
}

/// A linear map of a layer, as adapters know it.
struct Projection {
  /// Its name in the checkpoint, without `.weight`.
  let name: String
  let outputs: Int
  let inputs: Int
  /// Whether the weight is stored [in, out].
  let isTransposed: Bool
}

/// An affine map y = x Wᵀ + b with W [out, in], and what an adapter adds to it.
struct Linear {
  let weight: Weight
  let bias: Tensor?
  let update: LowRankUpdate?

  init(
    _ name: String, outputs: Int, inputs: Int, bias hasBias: Bool = false,
    isTransposed: Bool = false, _ parameter: ParameterSource
  ) throws {
    weight = try parameter.matrix(
      "\(name).weight", isTransposed ? [inputs, outputs] : [outputs, inputs],
      isTransposed: isTransposed)
    bias = hasBias ? try parameter("\(name).bias", [outputs]) : nil
    update = parameter.update(
      Projection(name: name, outputs: outputs, inputs: inputs, isTransposed: isTransposed))
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

/// Normalises the rows of its input.
protocol Norm {
  func callAsFunction(_ x: Tensor) throws -> Tensor
}

/// x w / sqrt(mean(x²) + ε).
struct RMSNorm: Norm {
  let weight: Tensor  // [C]
  let epsilon: Float

  init(_ name: String, width: Int, epsilon: Float, _ parameter: ParameterSource) throws {
    weight = try parameter("\(name).weight", [width])
    self.epsilon = epsilon
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try .rmsNorm(x, weight: weight, epsilon: epsilon)
  }
}

/// (x − mean) w / sqrt(variance + ε) + b.
struct LayerNorm: Norm {
  let weight: Tensor  // [C]
  let bias: Tensor  // [C]
  let epsilon: Float

  init(_ name: String, width: Int, epsilon: Float, _ parameter: ParameterSource) throws {
    weight = try parameter("\(name).weight", [width])
    bias = try parameter("\(name).bias", [width])
    self.epsilon = epsilon
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try .layerNorm(x, weight: weight, bias: bias, epsilon: epsilon)
  }
}
