import Kernels

// How many numbers and bytes a model has, before any is made: counted over the tensors that its
// construction asks for. Sizes are bounded, so nothing overflows.

extension Architecture {
  /// The modules and tensors of a model, under the names of files that transformers writes.
  var layout: ModelLayout { ModelLayout(self) }

  /// Number of weights, norms and biases included.
  public var parameterCount: Int { layout.parameterCount }

  /// Bytes that a loaded model's weights take.
  public func weightBytes(as type: ScalarType) -> Int { layout.weightBytes(as: type) }
}

extension ModelLayout {
  /// Number of weights, norms and biases included.
  var parameterCount: Int { sum(\.count) }

  /// Bytes that the weights take as they are held: matrices of `type`, packed where that is
  /// bfloat16, and vectors in float32.
  func weightBytes(as type: ScalarType) -> Int {
    guard type == .bfloat16 else { return parameterCount * 4 }
    return sum {
      $0.use.isVector ? $0.count * 4 : packedCount(rows: $0.outputs, columns: $0.inputs) * 2
    }
  }

  /// Bytes of the packed copies that products make of float32 weights: of the maps of the blocks
  /// and the output layer.
  var packedBytes: Int {
    (layerCount * block.linears.reduce(0) { $0 + $1.packedCount } + head.packedCount) * 4
  }
}

extension WeightShape {
  fileprivate var outputs: Int { shape[use.isTransposed ? 1 : 0] }
  fileprivate var inputs: Int { shape[use.isTransposed ? 0 : 1] }
}

extension LinearShape {
  /// Numbers of the weight matrix.
  var count: Int { outputs * inputs }

  /// Numbers that its packed form holds.
  var packedCount: Int { Kernels.packedCount(rows: outputs, columns: inputs) }

  /// Numbers of both factors of the weight's gradient in packed form, which backward() makes of up
  /// to 512 rows at a time.
  func packedFactorsCount(rows: Int) -> Int {
    Kernels.packedCount(rows: outputs, columns: min(rows, 512))
      + Kernels.packedCount(rows: inputs, columns: min(rows, 512))
  }
}
