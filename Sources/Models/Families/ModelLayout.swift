import Kernels

// The tensors of a model, described before any is made: what is built, read from files and written
// to them, and what sizes are counted from, is this one list.

/// A tensor of a model: its name in files, its shape as files store it, and what it is for.
struct WeightShape: Sendable, Equatable {
  /// What a tensor is used for, which decides how it may be held and how it begins.
  enum Use: Sendable {
    /// A bias or the weight of a norm: always a float32 tensor.
    case bias, normWeight
    /// A table whose rows are looked up.
    case table
    /// A matrix [outputs, inputs] that inputs are multiplied by.
    case matrix
    /// A matrix that is stored [inputs, outputs].
    case transposedMatrix

    var isVector: Bool { self == .bias || self == .normWeight }
    var isTransposed: Bool { self == .transposedMatrix }
  }

  let name: String
  let shape: [Int]
  let use: Use
  /// Whether it begins smaller, as what it gives is added to the residual stream.
  var startsScaled = false

  var count: Int { shape.reduce(1, *) }
}

/// A linear map y = x Wᵀ + b, as it is built and as adapters know it.
struct LinearShape: Sendable, Equatable {
  /// Its name in files, without `.weight`.
  var name: String
  let outputs: Int
  let inputs: Int
  var hasBias = false
  /// Whether the weight is stored [inputs, outputs].
  var isTransposed = false
  var startsScaled = false

  var weight: WeightShape {
    WeightShape(
      name: "\(name).weight", shape: isTransposed ? [inputs, outputs] : [outputs, inputs],
      use: isTransposed ? .transposedMatrix : .matrix, startsScaled: startsScaled)
  }

  var bias: WeightShape? {
    hasBias ? WeightShape(name: "\(name).bias", shape: [outputs], use: .bias) : nil
  }

  var weights: [WeightShape] { [weight] + (bias.map { [$0] } ?? []) }
}

/// A norm over rows or parts of them.
struct NormShape: Sendable, Equatable {
  var name: String
  let width: Int
  let kind: Architecture.Norm
  let epsilon: Float

  var weight: WeightShape {
    WeightShape(name: "\(name).weight", shape: [width], use: .normWeight)
  }

  var bias: WeightShape? {
    kind.hasBias ? WeightShape(name: "\(name).bias", shape: [width], use: .bias) : nil
  }

  var weights: [WeightShape] { [weight] + (bias.map { [$0] } ?? []) }
}

/// The modules of one block, in the order of the family's files.
struct BlockLayout: Sendable {
  enum Module: Sendable {
    case linear(LinearShape)
    case norm(NormShape)
  }

  private(set) var modules: [(role: TensorNames.Role, module: Module)] = []

  var weights: [WeightShape] {
    modules.flatMap {
      switch $0.module {
      case .linear(let shape): shape.weights
      case .norm(let shape): shape.weights
      }
    }
  }

  /// The linear maps.
  var linears: [LinearShape] {
    modules.compactMap { if case .linear(let shape) = $0.module { shape } else { nil } }
  }

  /// The maps of queries, keys and values, or the one of all three.
  var attentionInputs: [LinearShape] {
    module(.queryKeyValue) == nil
      ? [linear(.query), linear(.key), linear(.value)] : [linear(.queryKeyValue)]
  }

  /// The map of a role, which the family's names must have.
  func linear(_ role: TensorNames.Role) -> LinearShape {
    guard case .linear(let shape)? = module(role) else {
      preconditionFailure("the family's TensorNames have no module for \(role)")
    }
    return shape
  }

  /// The norm of a role, which the family's names must have.
  func norm(_ role: TensorNames.Role) -> NormShape {
    guard case .norm(let shape)? = module(role) else {
      preconditionFailure("the family's TensorNames have no module for \(role)")
    }
    return shape
  }

  private func module(_ role: TensorNames.Role) -> Module? {
    modules.first { $0.role == role }?.module
  }
}

extension BlockLayout {
  /// The modules of a block, under their names within it.
  init(_ a: Architecture) {
    modules = a.names.block.compactMap { entry in
      Self.module(entry.role, entry.name, a).map { (entry.role, $0) }
    }
  }

  /// The same under names that begin with `prefix`.
  fileprivate func named(_ prefix: String) -> BlockLayout {
    var result = self
    for index in modules.indices {
      switch modules[index].module {
      case .linear(var shape):
        shape.name = prefix + shape.name
        result.modules[index].module = .linear(shape)
      case .norm(var shape):
        shape.name = prefix + shape.name
        result.modules[index].module = .norm(shape)
      }
    }
    return result
  }

  /// The shape of a module; nil where the architecture has none in this role.
  private static func module(_ role: TensorNames.Role, _ name: String, _ a: Architecture) -> Module?
  {
    let (hidden, inner) = (a.hiddenSize, a.intermediateSize)
    let (queries, keys) = (a.headCount * a.headSize, a.keyValueHeadCount * a.headSize)
    let (isBiased, innerBias) = (a.attentionBias != .none, a.hasFeedForwardBias)
    func linear(_ outputs: Int, _ inputs: Int, _ bias: Bool, addsToResidual: Bool = false) -> Module
    {
      .linear(
        LinearShape(
          name: name, outputs: outputs, inputs: inputs, hasBias: bias,
          isTransposed: a.names.storesTransposed,
          startsScaled: addsToResidual && a.initialization == .scaledResidual))
    }
    func norm(_ width: Int) -> Module {
      .norm(NormShape(name: name, width: width, kind: a.norm, epsilon: a.normEpsilon))
    }
    func headNorm(_ all: Int) -> Module? {
      switch a.queryKeyNorm {
      case .none: nil
      case .perHead: norm(a.headSize)
      case .allHeads: norm(all)
      }
    }
    switch role {
    case .query: return linear(queries, hidden, isBiased)
    case .key, .value: return linear(keys, hidden, isBiased)
    case .queryKeyValue: return linear(queries + 2 * keys, hidden, isBiased)
    case .attentionOutput:
      return linear(hidden, queries, a.attentionBias == .all, addsToResidual: true)
    case .queryNorm: return headNorm(queries)
    case .keyNorm: return headNorm(keys)
    case .gate: return a.feedForward.isGated ? linear(inner, hidden, innerBias) : nil
    case .up: return linear(inner, hidden, innerBias)
    case .down: return linear(hidden, inner, innerBias, addsToResidual: true)
    case .attentionNorm, .feedForwardNorm: return norm(hidden)
    }
  }
}

/// The modules of a model with their names and shapes.
struct ModelLayout: Sendable {
  /// What stands before the names of all weights but the head's.
  let prefix: String
  /// The same in the files that transformers writes.
  private let fullPrefix: String
  let embedTokens: WeightShape
  /// A vector for each position, where positions are learned.
  let embedPositions: WeightShape?
  /// The modules of a block under their names within it: all blocks have the same.
  let block: BlockLayout
  let layerCount: Int
  /// What stands before the number of a block.
  private let blockPrefix: String
  let norm: NormShape
  /// The output layer; its weight is the embedding table where the two are tied.
  let head: LinearShape
  let tiesEmbeddings: Bool
  /// Ends of the names of buffers that old files hold beside the weights.
  let buffers: [String]

  /// A layout under the names of files with this prefix, by default those of transformers.
  init(_ a: Architecture, prefix: String? = nil) {
    let names = a.names
    let prefix = prefix ?? names.prefix
    (self.prefix, fullPrefix) = (prefix, names.prefix)
    func table(_ name: String, rows: Int) -> WeightShape {
      WeightShape(name: "\(prefix)\(name).weight", shape: [rows, a.hiddenSize], use: .table)
    }
    embedTokens = table(names.embedTokens, rows: a.vocabularySize)
    if case .learned(let name) = a.positions {
      embedPositions = table(name, rows: a.maxPositions)
    } else {
      embedPositions = nil
    }
    (block, layerCount) = (BlockLayout(a), a.layerCount)
    blockPrefix = "\(prefix)\(names.blocks)."
    norm = NormShape(
      name: prefix + names.finalNorm, width: a.hiddenSize, kind: a.norm, epsilon: a.normEpsilon)
    head = LinearShape(name: TensorNames.head, outputs: a.vocabularySize, inputs: a.hiddenSize)
    tiesEmbeddings = a.tiesEmbeddings
    buffers = names.buffers
  }

  /// The modules of every block.
  var blocks: [BlockLayout] { (0..<layerCount).map { block.named("\(blockPrefix)\($0).") } }

  /// All tensors, in the order of files; a tied head is not listed twice.
  var weights: [WeightShape] {
    tables + blocks.flatMap(\.weights) + last
  }

  /// The tensors behind the blocks.
  private var last: [WeightShape] { norm.weights + (tiesEmbeddings ? [] : head.weights) }

  /// The sum of a size of all tensors, of which those of one block are looked at.
  func sum(_ size: (WeightShape) -> Int) -> Int {
    func total(_ weights: [WeightShape]) -> Int { weights.reduce(0) { $0 + size($1) } }
    return total(tables + last) + layerCount * total(block.weights)
  }

  /// Tables whose rows are looked up.
  var tables: [WeightShape] { [embedTokens] + (embedPositions.map { [$0] } ?? []) }

  /// The linear maps of the blocks, to which an adapter can add.
  var linears: [LinearShape] { blocks.flatMap(\.linears) }

  /// The name that transformers' class gives a map, whatever the names of the files begin with.
  func className(of linear: LinearShape) -> String {
    fullPrefix + linear.name.dropFirst(prefix.count)
  }
}
