import Core
import Models

/// AdamW's hyperparameters, with torch's defaults.
public struct AdamWOptions: Sendable, Equatable {
  /// Learning rate lr.
  public private(set) var learningRate: Double
  /// Decay of the first moment, β₁.
  public let beta1: Double
  /// Decay of the second moment, β₂.
  public let beta2: Double
  /// ε, added outside of the square root.
  public let epsilon: Double
  /// Decoupled weight decay λ.
  public let weightDecay: Double

  /// torch's defaults.
  public enum Default {
    /// Of `learningRate`, `epsilon` and `weightDecay`.
    public static let learningRate = 1e-3, epsilon = 1e-8, weightDecay = 0.01
    /// β₁ and β₂.
    public static let betas = [0.9, 0.999]
  }

  /// Validates the values; throws `ArgumentError` for one out of range.
  public init(
    learningRate: Double = Default.learningRate, beta1: Double = Default.betas[0],
    beta2: Double = Default.betas[1], epsilon: Double = Default.epsilon,
    weightDecay: Double = Default.weightDecay
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

  /// Sets the learning rate; throws `ArgumentError` unless it is finite and not negative.
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
