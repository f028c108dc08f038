import Core
import Kernels

// The head of a language model at the target positions only, in chunks.
//
// Neither the forward nor the backward pass holds more than a chunk of logits; backward() computes
// them again where there are several chunks.

/// The tokens whose log-probability is computed: `rows[i]` of the hidden states predicts `ids[i]`.
public struct TokenTargets: Sendable {
  /// Rows of the hidden states, one per token.
  public let rows: [Int]
  /// The token that follows each of the rows.
  public let ids: [Int]

  /// Pairs of a row and the token it predicts.
  public init(rows: [Int], ids: [Int]) {
    self.rows = rows
    self.ids = ids
  }
}

/// Rows of logits per chunk: at most 80 MB, but at least 16 rows. Each chunk costs a pass over the
/// output layer.
public func logitRows(_ vocabulary: Int) -> Int {
  max(16, min(4096, 20_971_520 / max(1, vocabulary)))
}

extension Tensor {
  /// ln p(target) under softmax(h Wᵀ / temperature) at the target positions: [2, M].
  ///
  /// Row 1 of the result holds log-probabilities; row 2 the entropies −Σ p ln p in nats where
  /// `entropy` is set, else zeros.
  /// - Parameters:
  ///   - hidden: [N, C], after the final norm.
  ///   - weight: the output layer [V, C]; all target ids are in 0..<V.
  public static func tokenLogProbabilities(
    _ hidden: Tensor, weight: Weight, _ targets: TokenTargets, temperature: Float, entropy: Bool
  ) throws -> Tensor {
    let vocabulary = weight.shape[0]
    assert(targets.ids.allSatisfy { $0 >= 0 && $0 < vocabulary })
    let count = targets.rows.count
    let output = try zeroResult([2, count], for: "logprobs")
    let normalisers = try Storage(count: count, for: "logprobs")
    let chunks = blocks(count, size: logitRows(vocabulary))
    let scale = 1 / temperature
    let isTrained = weight.isRecorded
    var onlyLogits: Storage?
    for chunk in chunks {
      try Interrupt.check()
      let logits = try headLogits(hidden, weight, targets.rows[chunk], isTrained: isTrained)
      if chunks.count == 1 { onlyLogits = logits }
      Team.shared.forEach(chunk.count, atLeast: rowGrain(vocabulary)) { range in
        for i in range {
          let row = logits.pointer + i * vocabulary
          let at = chunk.lowerBound + i
          let normaliser = logSumExp(row, vocabulary, scale: scale)
          normalisers.pointer[at] = normaliser
          output.pointer[at] = row[targets.ids[at]] * scale - normaliser
          guard entropy else { continue }
          output.pointer[count + at] = Kernels.entropy(
            row, vocabulary, scale: scale, logSumExp: normaliser)
        }
      }
    }
    let version = weight.tensor?.storage.version
    let head = weight.withoutTape
    let inputs = [hidden] + [weight.tensor].compactMap { $0 }
    return recorded("logprobs", inputs, output, style: .writing) {
      [hidden = hidden.detached()] gradient, into in
      guard head.tensor?.storage.version == version else {
        throw TensorError.changedInPlace(operation: "logprobs", .outputLayer)
      }
      into.clearIfEmpty(0, count: hidden.count)
      if count == 0, head.tensor != nil { into.clearIfEmpty(1, count: head.count) }
      for chunk in chunks {
        try Interrupt.check()
        // The gradient overwrites the logits, so that a second backward() has to compute them
        // again.
        let logits =
          try onlyLogits ?? headLogits(hidden, head, targets.rows[chunk], isTrained: isTrained)
        onlyLogits = nil
        Team.shared.forEach(chunk.count, atLeast: rowGrain(vocabulary)) { range in
          for i in range {
            let at = chunk.lowerBound + i
            tokenLogProbabilityBackward(
              logits.pointer + i * vocabulary, vocabulary, target: targets.ids[at], scale: scale,
              logSumExp: normalisers.pointer[at], gradient: gradient[at],
              entropy: output.pointer[count + at],
              entropyGradient: entropy ? gradient[count + at] : 0)
          }
        }
        try headGradient(
          logits, hidden, head, targets.rows[chunk], into, isFirst: chunk.lowerBound == 0)
      }
    }
  }

  /// h Wᵀ for the given rows of the hidden states.
  private static func headLogits(
    _ hidden: Tensor, _ weight: Weight, _ rows: ArraySlice<Int>, isTrained: Bool
  ) throws(TensorError) -> Storage {
    let gathered = try gather(hidden, rows)
    let logits = try Storage(count: rows.count * weight.shape[0], for: "logprobs")
    try weight.product(isTrained: isTrained).multiply(
      gathered.pointer, rows: rows.count, into: GradientBuffer(logits.pointer, adds: false))
    return logits
  }

  private static func gather(_ hidden: Tensor, _ rows: ArraySlice<Int>)
    throws(TensorError) -> Storage
  {
    let width = hidden.shape[1]
    let gathered = try Storage(count: rows.count * width, for: "logprobs")
    for (i, row) in rows.enumerated() {
      (gathered.pointer + i * width).update(from: hidden.pointer + row * width, count: width)
    }
    return gathered
  }

  /// dh += dlogits W at the rows, dW += dlogitsᵀ h.
  private static func headGradient(
    _ dlogits: Storage, _ hidden: Tensor, _ weight: Weight, _ rows: ArraySlice<Int>,
    _ into: InputGradients, isFirst: Bool
  ) throws(TensorError) {
    let width = weight.shape[1]
    if let dh = into[0] {
      let local = try Storage(count: rows.count * width, for: "backward")
      try weight.inputGradient(
        dlogits.pointer, rows: rows.count, into: GradientBuffer(local.pointer, adds: false))
      for (i, row) in rows.enumerated() {
        Kernels.add(local.pointer + i * width, to: dh + row * width, width)
      }
    }
    if weight.tensor != nil, let dw = into[1] {
      let gathered = try gather(hidden, rows)
      try weight.gradient(
        dlogits.pointer, gathered.pointer, rows: rows.count,
        into: GradientBuffer(dw, adds: !(isFirst && into.isEmpty(1))))
    }
  }
}
