// What a model computes: its sizes, and choices that are made independently of each other. The file
// of a family reads them from config.json; all other code asks for a choice and never for the
// family.

/// Sizes and choices from which a decoder-only transformer is built.
public struct Architecture: Sendable, Equatable {
  /// Rows of the embedding table; at least the number of tokens.
  public let vocabularySize: Int
  /// Width C of the residual stream.
  public let hiddenSize: Int
  /// Width I of the feed-forward layers.
  public let intermediateSize: Int
  /// Query heads H.
  public let headCount: Int
  /// Key and value heads KV; divides `headCount`.
  public let keyValueHeadCount: Int
  /// Width D of a head; even where positions are rotary.
  public let headSize: Int
  /// Longest context.
  public let maxPositions: Int
  /// The key of config.json that holds it.
  public let contextKey: String

  /// How a token's position enters.
  public var positions: Positions
  /// What differs between layers, an entry for each.
  public var layers: [Layer]
  /// The kind of all norms.
  public var norm: Norm
  /// Added to the mean square or the variance in norms.
  public var normEpsilon: Float
  /// Where a block's norms stand.
  public var normPlacement = NormPlacement.pre
  /// Which norm queries and keys have.
  public var queryKeyNorm = QueryKeyNorm.none
  /// Which projections of the attention have biases.
  public var attentionBias = AttentionBias.none
  /// What the feed-forward part computes.
  public var feedForward: FeedForward
  /// Whether the projections of the feed-forward part have biases.
  public var hasFeedForwardBias = false
  /// Whether the output layer is the embedding table.
  public var tiesEmbeddings: Bool
  /// How matrices begin in a new model.
  public var initialization = Initialization.normal
  /// Names of the tensors in files.
  public var names: TensorNames

  /// Number of blocks.
  public var layerCount: Int { layers.count }
}

extension Architecture {
  /// Ways in which positions enter.
  public enum Positions: Sendable, Equatable {
    /// Queries and keys are rotated (arXiv 2104.09864), with wavelengths of this base.
    case rotary(theta: Double, RopeScaling)
    /// A vector for each position, from a table of this name, is added to the embedding.
    case learned(table: String)
  }

  /// What one layer may have otherwise than another.
  public struct Layer: Sendable, Equatable {
    /// The sliding window: tokens that a token sees, itself included; nil sees all before it.
    public var window: Int?
    /// Whether queries and keys are rotated, where positions are rotary.
    public var usesRotary = true
    /// What attention scores are multiplied by.
    public var scoreScale: Float

    /// A layer without a window whose scores are multiplied by 1 / √D.
    init(headSize: Int) { scoreScale = 1 / Float(headSize).squareRoot() }
  }

  /// Kinds of norms.
  public enum Norm: Sendable {
    /// x w / sqrt(mean(x²) + ε).
    case rms
    /// (x − mean) w / sqrt(variance + ε) + b.
    case layer

    var hasBias: Bool { self == .layer }
    /// Numbers per row that backward() needs beside the input.
    var savedStatistics: Int { self == .layer ? 2 : 1 }
  }

  /// Places of a block's two norms.
  public enum NormPlacement: Sendable {
    /// x + part(norm(x)).
    case pre
    /// x + norm(part(x)).
    case post
  }

  /// Over how much of a token's queries, and of its keys, one norm extends.
  public enum QueryKeyNorm: Sendable {
    /// There is no norm.
    case none
    /// Over each head.
    case perHead
    /// Over all heads at once.
    case allHeads
  }

  /// Projections of the attention that have biases.
  public enum AttentionBias: Sendable {
    /// None.
    case none
    /// Those of queries, keys and values.
    case queryKeyValue
    /// Those, and the output projection.
    case all
  }

  /// Kinds of feed-forward parts.
  public enum FeedForward: Sendable, Equatable {
    /// down(silu(gate(x)) up(x)) (arXiv 2002.05202).
    case swiGLU
    /// down(activation(up(x))).
    case mlp(Activation)

    var isGated: Bool { self == .swiGLU }
    /// Rows of width I that backward() needs for each token.
    var savedRows: Int { isGated ? 3 : 2 }
  }

  /// The function between the projections of a feed-forward part without a gate.
  public enum Activation: Sendable {
    /// x sigmoid(x).
    case silu
    /// x Φ(x).
    case gelu
    /// x Φ(x) by its approximation through tanh.
    case geluTanh
    /// max(x, 0).
    case relu
  }

  /// Standard deviations of new matrices.
  public enum Initialization: Sendable {
    /// `initializer_range`.
    case normal
    /// The same, and over √(2 · layers) for the projections that add to the residual stream.
    case scaledResidual
  }
}
