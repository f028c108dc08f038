import Core
import Models

/// How well the policy's implicit rewards fit the optimal advantages of a batch: metrics logged
/// with the A*-PO loss.
///
/// The implicit reward of a completion is β₂ ln(π(y|x) / π_ref(y|x)), its target the optimal
/// advantage r − V*. At the optimum of the KL-regularised objective they are equal (arXiv
/// 2505.20686). All in double precision.
public struct Regression: Sendable {
  /// β₂ (logp − ref) of each sample.
  public let implicitRewards: [Double]
  /// The target of each sample.
  public let targets: [Double]
  /// Implicit reward minus target of each sample; the loss is the mean of their squares.
  public let residuals: [Double]

  /// The fit of samples with the given sums of log-probabilities and targets, all [B].
  ///
  /// - Throws: `ArgumentError` if there are not as many of each, or `beta2` is not finite.
  public init(
    logp: [Double], reference: [Double], targets: [Double], beta2: Double
  ) throws(ArgumentError) {
    for values in [reference, targets] where values.count != logp.count {
      throw ArgumentError("\(values.count) values for \(logp.count) samples")
    }
    guard beta2.isFinite else {
      throw ArgumentError("beta: a finite number expected, got \(beta2)")
    }
    func residuals(_ targets: [Double]) -> [Double] {
      logp.indices.map {
        AStarPO.residual(
          logp: logp[$0], reference: reference[$0], target: targets[$0], beta2: beta2)
      }
    }
    implicitRewards = residuals([Double](repeating: 0, count: logp.count))
    self.targets = targets
    self.residuals = residuals(targets)
  }

  /// Mean residual: how much too high the policy rates its samples.
  public var meanResidual: Double { mean(residuals) }

  /// Root mean square of the residuals.
  public var rmsResidual: Double {
    let (mean, deviation) = (meanResidual, deviation(residuals))
    return (mean * mean + deviation * deviation).squareRoot()
  }

  /// 1 − var(residuals) / var(targets): 1 is a perfect fit, 0 no better than a constant; nil if all
  /// targets agree.
  public var explainedVariance: Double? {
    let whole = deviation(targets)
    let ratio = deviation(residuals) / whole
    return whole > 0 ? 1 - ratio * ratio : nil
  }
}

private func mean(_ values: [Double]) -> Double {
  values.reduce(0, +) / Double(max(1, values.count))
}

private func deviation(_ values: [Double]) -> Double {
  let center = mean(values)
  return mean(values.map { ($0 - center) * ($0 - center) }).squareRoot()
}
