import Kernels

// How many weights a configuration describes, before any is made; sizes are bounded, so nothing overflows.

extension ModelConfiguration {
  /// Sizes of a matrix as the product uses it.
  struct MatrixSize {
    let outputs: Int
    let inputs: Int

    var count: Int { outputs * inputs }
    /// Numbers that the packed form holds.
    var packedCount: Int { Kernels.packedCount(rows: outputs, columns: inputs) }
    /// Numbers of both factors of the weight's gradient in packed form, which backward() makes of up to 512 rows at a time.
    func packedFactorsCount(rows: Int) -> Int {
      Kernels.packedCount(rows: outputs, columns: min(rows, 512))
        + Kernels.packedCount(rows: inputs, columns: min(rows, 512))
    }
  }

  /// The matrices of one layer.
  var layerMatrices: [MatrixSize] {
    let (c, inner) = (hiddenSize, intermediateSize)
    let (queries, keys) = (headCount * headSize, keyValueHeadCount * headSize)
    switch architecture {
    case .gpt2:
      return [(3 * c, c), (c, c), (inner, c), (c, inner)].map(MatrixSize.init)
    case .llama:
      return [
        (queries, c), (keys, c), (keys, c), (c, queries), (inner, c), (inner, c), (c, inner),
      ].map(MatrixSize.init)
    }
  }

  /// The output layer, which may be the embedding table.
  var headMatrix: MatrixSize { MatrixSize(outputs: vocabularySize, inputs: hiddenSize) }

  /// Tables whose rows are looked up and which are not the output layer.
  var tables: [MatrixSize] {
    (tiesEmbeddings ? [] : [headMatrix])
      + (architecture == .gpt2 ? [MatrixSize(outputs: maxPositions, inputs: hiddenSize)] : [])
  }

  /// Number of weights, norms and biases included.
  public var parameterCount: Int {
    (tables + [headMatrix]).reduce(0) { $0 + $1.count }
      + layerCount * layerMatrices.reduce(0) { $0 + $1.count } + vectorParameterCount
  }

  private var vectorParameterCount: Int {
    let (c, inner) = (hiddenSize, intermediateSize)
    if architecture == .gpt2 {
      // Weights and biases of the norms, and a bias for each of the four projections.
      return layerCount * (4 * c + 5 * c + inner) + 2 * c
    }
    let queryKeyValue = hasQueryKeyValueBias ? (headCount + 2 * keyValueHeadCount) * headSize : 0
    let feedForward = hasMLPBias ? 2 * inner + c : 0
    let norms =
      switch queryKeyNorm {
      case .none: 0
      case .heads: 2 * headSize
      case .whole: (headCount + keyValueHeadCount) * headSize
      }
    let block = 2 * c + queryKeyValue + (hasOutputBias ? c : 0) + feedForward + norms
    return layerCount * block + c
  }

  /// Bytes that a loaded model's weights take.
  public func weightBytes(as type: ScalarType) -> Int {
    guard type == .bfloat16 else { return parameterCount * 4 }
    return productPackedCount * 2 + tables.reduce(0) { $0 + $1.packedCount } * 2
      + vectorParameterCount * 4
  }

  /// Bytes of the packed copies that products make of float32 weights.
  var packedBytes: Int { productPackedCount * 4 }

  private var productPackedCount: Int {
    headMatrix.packedCount + layerCount * layerMatrices.reduce(0) { $0 + $1.packedCount }
  }
}
