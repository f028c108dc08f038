import Tensors

/// How well the policy's implicit rewards fit the optimal advantages of a batch: what to log beside
/// the A*-PO loss.
///
/// The implicit reward of a sample is β₂ ln(π(y|x) / π_ref(y|x)), its target the optimal advantage
/// r − V*. At the optimum of the KL-regularised objective they are equal (arXiv 2505.20686).
public struct Regression: Sendable {
  /// β₂ (logp − ref) of each sample.
  public let implicitRewards: [Double]
  /// r − V of each sample.
  public let advantages: [Double]

  /// The fit of samples with the given sums of log-probabilities, rewards and values, all [B].
  ///
  /// - Throws: `TensorError` if the tensors do not have the same number of elements.
  public init(
    logp: Tensor, reference: Tensor, rewards: Tensor, values: Tensor, beta2: Double
  ) throws(TensorError) {
    for tensor in [reference, rewards, values] where tensor.count != logp.count {
      throw TensorError("regression: \(tensor.count) values for \(logp.count) samples")
    }
    implicitRewards = (0..<logp.count).map {
      beta2 * (Double(logp.pointer[$0]) - Double(reference.pointer[$0]))
    }
    advantages = (0..<logp.count).map {
      Double(rewards.pointer[$0]) - Double(values.pointer[$0])
    }
  }

  /// Implicit reward minus advantage of each sample; the loss is the mean of their squares.
  public var residuals: [Double] { zip(implicitRewards, advantages).map { $0 - $1 } }

  /// Mean residual: how much too high the policy rates its samples.
  public var meanResidual: Double { mean(residuals) }

  /// Root mean square of the residuals.
  public var rmsResidual: Double { mean(residuals.map { $0 * $0 }).squareRoot() }

  /// 1 − var(residuals) / var(advantages): 1 is a perfect fit, 0 no better than a constant; nil if
  /// all advantages agree.
  public var explainedVariance: Double? {
    let whole = variance(advantages)
    return whole > 0 ? 1 - variance(residuals) / whole : nil
  }
}

private func mean(_ values: [Double]) -> Double {
  values.reduce(0, +) / Double(max(1, values.count))
}

private func variance(_ values: [Double]) -> Double {
  let center = mean(values)
  return mean(values.map { ($0 - center) * ($0 - center) })
}
