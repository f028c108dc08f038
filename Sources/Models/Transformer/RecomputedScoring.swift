import Tensors

// Scoring in groups of sequences, and activation recomputation (gradient checkpointing): backward()
// computes the layers of a group again and frees them before the next group.
//
// Groups are consecutive sequences, cut by their numbers of tokens or by a given size and nothing
// else, so that the order in which gradients are added, and with it every bit, is the same on any
// machine.

/// The tokens of a group, about, where its number of sequences is not given.
let groupTokens = 1536

/// The number of groups for sequences of `tokens` tokens in all.
func groupCount(tokens: Int) -> Int { max(1, (tokens + groupTokens - 1) / groupTokens) }

extension Transformer {
  /// `score` of all sequences, [rows, M], where M is the number of completion tokens, and of
  /// `parameters` its weights.
  ///
  /// Without a graph, groups of about `groupTokens` tokens are scored one after the other. In a
  /// graph all activations are kept, unless there are several groups: of `microBatch` sequences
  /// where that is given, else of about `groupTokens` tokens where the first row is `known`. Then
  /// backward() computes the groups again; there is no first pass where the first row is known (the
  /// others are zeros). A `known` row of a single group is not used.
  ///
  /// backward() throws where weights were changed, frozen or unfrozen in between: it would
  /// recompute with the new ones.
  func scored(
    _ sequences: [TokenSequence], _ parameters: [(name: String, tensor: Tensor)], rows: Int,
    microBatch: Int?, known: [Float]? = nil, name: String,
    by score: @escaping ([TokenSequence]) throws -> Tensor
  ) throws -> Tensor {
    let tensors = parameters.map(\.tensor)
    guard Tensor.records(tensors) else {
      return try withoutGradients {
        try joined(grouped(sequences, size: nil), rows: rows, by: score)
      }
    }
    guard microBatch != nil || known != nil else { return try score(sequences) }
    let groups = grouped(sequences, size: microBatch)
    guard groups.count > 1 else { return try score(sequences) }
    let output =
      try known.map { try firstRow($0, of: sequences, rows: rows, name) }
      ?? withoutGradients { try joined(groups, rows: rows, by: score) }
    let before = parameters.map(ScoredParameter.init)
    return Tensor.recorded(name, tensors, output, style: .nesting) { gradient, _ in
      for parameter in before { try parameter.checkIsUnchanged(since: name) }
      try self.recompute(groups, gradient, output, name, by: score)
    }
  }

  /// [rows, M] of known values in the first row and zeros in the others.
  private func firstRow(
    _ known: [Float], of sequences: [TokenSequence], rows: Int, _ name: String
  ) throws -> Tensor {
    let total = sequences.reduce(0) { $0 + $1.completion.count }
    guard known.count == total else {
      throw ModelError.sampledCount(known.count, function: name, tokens: total)
    }
    let output = try Tensor.zeroResult([rows, total], for: name)
    known.withUnsafeBufferPointer { values in
      if let first = values.baseAddress { output.pointer.update(from: first, count: total) }
    }
    return output
  }

  /// The scores of groups side by side: [rows, M].
  private func joined(
    _ groups: [[TokenSequence]], rows: Int, by score: ([TokenSequence]) throws -> Tensor
  ) throws -> Tensor {
    let total = groups.joined().reduce(0) { $0 + $1.completion.count }
    let output = try Tensor.zeroResult([rows, total], for: "logprobs")
    var start = 0
    for group in groups {
      let part = try score(group)
      let count = part.shape[1]
      for row in 0..<rows {
        (output.pointer + row * total + start).update(
          from: part.pointer + row * count, count: count)
      }
      start += count
    }
    return output
  }

  /// Backpropagates `gradient` of `output` through the layers, group by group.
  private func recompute(
    _ groups: [[TokenSequence]], _ gradient: UnsafePointer<Float>, _ output: Tensor, _ name: String,
    by score: ([TokenSequence]) throws -> Tensor
  ) throws {
    let (rows, total) = (output.shape[0], output.shape[1])
    var start = 0
    for group in groups {
      let part = try withGradients { try score(group) }
      let count = part.shape[1]
      guard count > 0 else { continue }
      let seed = try Tensor.result([rows, count], for: "backward")
      for row in 0..<rows {
        let at = row * total + start
        try check(part.pointer + row * count, is: output.pointer + at, count, name)
        (seed.pointer + row * count).update(from: gradient + at, count: count)
      }
      try part.backward(seed: seed)
      start += count
    }
  }

  /// Throws unless the recomputed values are bit-identical to those that were returned.
  private func check(
    _ again: UnsafePointer<Float>, is given: UnsafePointer<Float>, _ count: Int, _ name: String
  ) throws(ModelError) {
    guard let i = (0..<count).first(where: { again[$0].bitPattern != given[$0].bitPattern }) else {
      return
    }
    throw .recomputed(again[i], function: name, before: given[i])
  }

  /// Consecutive groups of `size` sequences, or of about as many tokens each, at most `groupTokens`
  /// and a sequence, where no size is given: groups of similar size reuse the same freed blocks.
  func grouped(_ sequences: [TokenSequence], size: Int?) -> [[TokenSequence]] {
    if let size {
      return stride(from: 0, to: sequences.count, by: size).map {
        Array(sequences[$0..<min($0 + size, sequences.count)])
      }
    }
    let total = sequences.reduce(0) { $0 + $1.length }
    let count = groupCount(tokens: total)
    var groups = [[TokenSequence]](repeating: [], count: count)
    var before = 0
    for sequence in sequences {
      groups[before * count / max(1, total)].append(sequence)
      before += sequence.length
    }
    return groups.filter { !$0.isEmpty }
  }
}

/// The version of a weight when sequences were scored.
private struct ScoredParameter {
  private let name: String
  private let tensor: Tensor
  private let version: Int
  private let collects: Bool

  init(_ parameter: (name: String, tensor: Tensor)) {
    (name, tensor) = parameter
    (version, collects) = (tensor.storage.version, tensor.requiresGradient)
  }

  /// Throws if the weight was changed in place, frozen or unfrozen since.
  func checkIsUnchanged(since function: String) throws(ModelError) {
    guard tensor.storage.version == version else {
      throw .weightsChanged(function: function)
    }
    guard tensor.requiresGradient == collects else {
      throw .trainabilityChanged(weight: name, isFrozen: collects, function: function)
    }
  }
}

extension TokenSequence {
  /// Tokens of prompt and completion.
  fileprivate var length: Int { prompt.count + completion.count }
}
