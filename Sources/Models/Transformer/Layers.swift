import Tensors

// The parts that blocks are made of: a weight or two and the operation that uses them.

/// Where the parts of a model get their weights from.
struct ParameterSource {
  /// Delivers the weight of a name and shape.
  let weight: (_ name: String, _ shape: [Int]) throws -> Tensor
  /// Is told of each linear map of the layers; gives what an adapter adds to it.
  let update: (Projection) -> LowRankUpdate?

  func callAsFunction(_ name: String, _ shape: [Int]) throws -> Tensor { try weight(name, shape) }
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
  let weight: Tensor
  let bias: Tensor?
  /// Whether the weight is stored [in, out], as in GPT-2's `Conv1D`.
  let isTransposed: Bool
  let update: LowRankUpdate?

  init(
    _ name: String, outputs: Int, inputs: Int, bias hasBias: Bool = false,
    isTransposed: Bool = false, _ parameter: ParameterSource
  ) throws {
    weight = try parameter(
      "\(name).weight", isTransposed ? [inputs, outputs] : [outputs, inputs])
    bias = hasBias ? try parameter("\(name).bias", [outputs]) : nil
    self.isTransposed = isTransposed
    update = parameter.update(
      Projection(name: name, outputs: outputs, inputs: inputs, isTransposed: isTransposed))
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    let y = try Tensor.linear(x, weight, bias: bias, isTransposed: isTransposed)
    return try update.map { try .adding($0, of: x, to: y) } ?? y
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
