import Tensors

// What a model's results depend on besides its input, as a key: whether a sampler's numbers are still those of a model.

extension Transformer {
  /// What all weights were at a moment, the adapter's included.
  ///
  /// Two are equal only of one model between two changes of its weights, or of models that share all weights. A copy has others,
  /// whatever its values. The configuration and the type of keys and values are not in it: models that share weights are made
  /// of one another and keep both, so that results are the same where contents are.
  public struct Contents: Equatable, Sendable {
    fileprivate let weights: [Int]
    /// What an adapter's factors are scaled by.
    fileprivate let scales: [UInt32]
  }

  /// What all weights are now.
  public var contents: Contents {
    Contents(
      weights: allWeights.map(\.weight.contents),
      scales: (adapter?.updates ?? []).map { $0.factors.scale.bitPattern })
  }
}
