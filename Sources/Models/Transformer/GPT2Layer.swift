import Tensors

// GPT-2 (Radford et al., 2019): learned positions, LayerNorms, biases, projections stored the other
// way round.

extension TransformerParts {
  init(gpt2 c: ModelConfiguration, _ prefix: String, _ parameter: ParameterSource) throws {
    embedTokens = try parameter.matrix("\(prefix)wte.weight", [c.vocabularySize, c.hiddenSize])
    embedPositions = try parameter.matrix("\(prefix)wpe.weight", [c.maxPositions, c.hiddenSize])
    layers = try (0..<c.layerCount).map {
      try GPT2Layer(c, prefix: "\(prefix)h.\($0).", parameter)
    }
    norm = try LayerNorm("\(prefix)ln_f", width: c.hiddenSize, epsilon: c.normEpsilon, parameter)
  }
}

/// Attention and a feed-forward part, each behind a LayerNorm; queries, keys and values come from
/// one projection.
struct GPT2Layer: TransformerLayer {
  private let ln1: LayerNorm
  private let attention: Linear  // [C, 3C]
  private let output: Linear  // [C, C]
  private let ln2: LayerNorm
  private let up: Linear  // [C, I]
  private let down: Linear  // [I, C]
  private let activation: ModelConfiguration.Activation

  init(_ c: ModelConfiguration, prefix: String, _ parameter: ParameterSource) throws {
    let (hidden, inner) = (c.hiddenSize, c.intermediateSize)
    func conv1D(_ name: String, _ inputs: Int, _ outputs: Int) throws -> Linear {
      try Linear(
        prefix + name, outputs: outputs, inputs: inputs, bias: true, isTransposed: true, parameter)
    }
    func norm(_ name: String) throws -> LayerNorm {
      try LayerNorm(prefix + name, width: hidden, epsilon: c.normEpsilon, parameter)
    }
    ln1 = try norm("ln_1")
    attention = try conv1D("attn.c_attn", hidden, 3 * hidden)
    output = try conv1D("attn.c_proj", hidden, hidden)
    ln2 = try norm("ln_2")
    up = try conv1D("mlp.c_fc", hidden, inner)
    down = try conv1D("mlp.c_proj", inner, hidden)
    activation = c.activation
  }

  func attention(_ x: Tensor, positions: [Int], outputRows: [Int]?, attend: Attend) throws -> Tensor
  {
    let width = x.shape[1]
    let all = try attention(ln1(x))
    func part(_ index: Int) throws -> Tensor {
      try all.narrow(dim: 1, start: index * width, length: width)
    }
    return try output(
      attend(part(0), part(1), part(2)).rows(outputRows), addedTo: x.rows(outputRows))
  }

  func feedForward(_ x: Tensor) throws -> Tensor {
    let h = try up(ln2(x))
    return try down(activated(h), addedTo: x)
  }

  private func activated(_ h: Tensor) throws -> Tensor {
    switch activation {
    case .gelu: try h.gelu()
    case .geluTanh: try h.geluTanh()
    case .relu: try h.relu()
    case .silu: try h * h.sigmoid()
    }
  }
}
