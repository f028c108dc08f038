import Core
import Models

/// The numbers of AdamW's update rule, with torch's defaults.
public struct AdamWOptions: Sendable, Equatable {
  /// Step size lr.
  public private(set) var learningRate: Double
  /// Decay of the average of gradients, β₁.
  public let beta1: Double
  /// Decay of the average of squared gradients, β₂.
  public let beta2: Double
  /// ε, added outside of the square root.
  public let epsilon: Double
  /// Decoupled weight decay λ.
  public let weightDecay: Double

  /// Checks and keeps the numbers; throws `ArgumentError` for one out of its range.
  public init(
    learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0.01
  ) throws(ArgumentError) {
    for (name, value) in [("lr", learningRate), ("eps", epsilon), ("weight_decay", weightDecay)] {
      try Self.requireNonNegative(name, value)
    }
    for beta in [beta1, beta2] where !(beta >= 0 && beta < 1) {
      throw ArgumentError("betas: two numbers in [0, 1) expected, got \(beta)")
    }
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// Changes the step size; throws `ArgumentError` unless it is finite and not negative.
  public mutating func setLearningRate(_ rate: Double) throws(ArgumentError) {
    try Self.requireNonNegative("lr", rate)
    learningRate = rate
  }

  private static func requireNonNegative(_ name: String, _ value: Double) throws(ArgumentError) {
    guard value >= 0, value.isFinite else {
      throw ArgumentError("\(name): a finite number >= 0 expected, got \(value)")
    }
  }
}
