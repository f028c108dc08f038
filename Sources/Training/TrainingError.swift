/// Errors of losses and updates as values, with 0-based indices. `ApoLua` words them for scripts.
public enum TrainingError: Error, Equatable, Sendable {
  /// A tensor of the loss does not have the shape [B] of `logp`.
  case lossShape(name: String, [Int], logp: [Int])
  /// A sample's number is not finite.
  case lossValue(name: String, sample: Int, Float)
  /// A gradient has another shape than its parameter.
  case gradientShape(parameter: String, [Int], expected: [Int])
  /// No parameter has a gradient; `isFrozen` where none requires one.
  case noGradient(isFrozen: Bool)
  /// An element of a gradient is not finite.
  case gradientValue(parameter: String, element: Int, Float)
  /// The norm of all gradients is not finite.
  case gradientNorm
  /// The bound of the norm is not above 0.
  case maxGradNorm(Double)
}
