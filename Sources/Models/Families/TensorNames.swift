// The names of tensors in the files of a family, and how its matrices are stored.

/// Names of a family's tensors in files.
public struct TensorNames: Sendable, Equatable {
  /// What stands before the names of all weights but the head's; a file saved without a head leaves
  /// it out.
  public let prefix: String
  /// The embedding table, behind the prefix.
  let embedTokens: String
  /// What stands before the number of a block, behind the prefix.
  let blocks: String
  /// The modules of a block, in the order of the family's files.
  let block: [Module]
  /// The norm behind the last block.
  let finalNorm: String
  /// Whether the matrices of blocks are stored [inputs, outputs] and not [outputs, inputs].
  var storesTransposed = false
  /// Ends of the names of buffers that old files hold beside the weights.
  let buffers: [String]
  /// The linear maps to which PEFT adds where an adapter does not say which.
  let adapterTargets: [String]

  /// The output layer, where it is not the embedding table.
  static let head = "lm_head"

  /// A module of a block under its name.
  struct Module: Sendable, Equatable {
    let role: Role
    let name: String

    init(_ role: Role, _ name: String) { (self.role, self.name) = (role, name) }
  }

  /// What a module of a block is for.
  enum Role: Sendable {
    /// The projections of the attention, or one of queries, keys and values together.
    case query, key, value, queryKeyValue, attentionOutput
    /// Norms of queries and keys.
    case queryNorm, keyNorm
    /// The projections of the feed-forward part; the gate where it has one.
    case gate, up, down
    /// The norms of the two parts, before or behind them.
    case attentionNorm, feedForwardNorm
  }
}
