// How many weights a configuration describes, before any is made; sizes are bounded, so nothing overflows.

extension ModelConfiguration {
  /// Number of weights, the vectors (norms and biases) included.
  public var parameterCount: Int { matrixParameterCount + vectorParameterCount }

  /// Number of weights in the matrices: linear layers, embeddings and head; a tied head counts once.
  public var matrixParameterCount: Int {
    let positions = architecture == .gpt2 ? maxPositions : 0
    return (vocabularySize * (tiesEmbeddings ? 1 : 2) + positions) * hiddenSize
      + layerCount * (attentionMatrices + feedForwardMatrices)
  }

  /// Weights of the projections of one layer's attention.
  private var attentionMatrices: Int {
    2 * (headCount + keyValueHeadCount) * headSize * hiddenSize
  }

  /// Weights of the projections of one layer's feed-forward part.
  private var feedForwardMatrices: Int {
    (architecture == .gpt2 ? 2 : 3) * intermediateSize * hiddenSize
  }

  private var vectorParameterCount: Int {
    if architecture == .gpt2 {
      // Weights and biases of the norms, and a bias for each of the four projections.
      return layerCount * (4 * hiddenSize + 5 * hiddenSize + intermediateSize) + 2 * hiddenSize
    }
    let queryKeyValue = hasQueryKeyValueBias ? (headCount + 2 * keyValueHeadCount) * headSize : 0
    let feedForward = hasMLPBias ? 2 * intermediateSize + hiddenSize : 0
    let block =
      2 * hiddenSize + queryKeyValue + (hasOutputBias ? hiddenSize : 0) + feedForward
      + (hasQueryKeyNorm ? 2 * headSize : 0)
    return layerCount * block + hiddenSize
  }

  /// Bytes that a loaded model's weights take.
  public func weightBytes(as type: WeightType) -> Int {
    matrixParameterCount * (type == .bfloat16 ? 2 : 4) + vectorParameterCount * 4
  }
}
