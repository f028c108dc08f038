/// What went wrong in a loss or an update, as values: indices count from 0. `ApoLua` words it for
/// scripts.
public enum TrainingError: Error, Equatable, Sendable {
  /// A tensor of the loss has another shape than [B], as `logp` has it.
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
