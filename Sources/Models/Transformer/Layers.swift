import Tensors

// The parts that blocks are made of: a weight or two and the operation that uses them.

/// Delivers the weight of a name and shape.
typealias ParameterSource = (_ name: String, _ shape: [Int]) throws -> Tensor

/// An affine map y = x Wᵀ + b with W [out, in].
struct Linear {
  let weight: Tensor
  let bias: Tensor?

  init(
    _ name: String, outputs: Int, inputs: Int, bias hasBias: Bool = false,
    _ parameter: ParameterSource
  ) throws {
    weight = try parameter("\(name).weight", [outputs, inputs])
    bias = hasBias ? try parameter("\(name).bias", [outputs]) : nil
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor { try .linear(x, weight, bias: bias) }
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
