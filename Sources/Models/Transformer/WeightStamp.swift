import Tensors

// A key for a model's current weights: it tells whether the log-probabilities of a rollout are
// still those of the model.

extension Transformer {
  /// Identifies the current values of all weights, the adapter's included.
  ///
  /// Two stamps are equal for one model between two changes of its weights, and for models that
  /// share all weights. A clone has another stamp, whatever its values. Configuration and KV-cache
  /// dtype are left out: models that share weights share both.
  public struct WeightStamp: Equatable, Sendable {
    fileprivate let weights: [Int]
    /// What an adapter's factors are scaled by.
    fileprivate let scales: [UInt32]
  }

  /// The stamp of the weights as they are now.
  public var weightStamp: WeightStamp {
    WeightStamp(
      weights: allWeights.map(\.weight.stamp),
      scales: (adapter?.updates ?? []).map { $0.factors.scale.bitPattern })
  }
}
