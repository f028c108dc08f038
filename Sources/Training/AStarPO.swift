import Core
import Glibc
import Kernels
import Models
import Tensors

// A*-PO: Brantley, Chen, Gao, Lee, Sun, Zhan, Zhang, "Accelerating RL for LLM Reasoning with
// Optimal Advantage Regression", arXiv 2505.20686. The whole method is two formulas:
//
//   stage 1, once before training, with y_1 … y_N ~ π_ref(·|x):
//     V*(x) = β₁ ln (1/N) Σᵢ exp(r(x, yᵢ) / β₁)
//   stage 2, with one y ~ π(·|x) for each prompt x of a batch:
//     L(π) = mean over b of (β₂ ln(π(y|x) / π_ref(y|x)) − (r(x, y) − V*(x)))²
//
// The method needs no critic, group of samples, importance ratio, clipping, or normalisation of
// rewards, advantages or lengths. Sampling and scoring are in the model; the loop and the optional
// entropy term of the authors' runs are in the training script.

/// The formulas of A*-PO.
public enum AStarPO {
  /// How the value of a prompt is estimated from the rewards of its reference samples.
  public enum ValueMode: String, CaseIterable, Sendable {
    /// The optimal value V* at β₁; between `max` (β₁ → 0) and `mean` (β₁ → ∞).
    case optimal
    /// The average reward: the ordinary value of the reference policy.
    case mean
    /// The best reward.
    case max
    /// No baseline.
    case zero
  }

  /// The optimal value V* = β₁ ln mean exp(r / β₁) of a prompt, and its limits max at β₁ = 0 and
  /// mean at β₁ = ∞.
  ///
  /// Computed as M + β₁ ln(1 + mean(exp((r − M) / β₁) − 1)) with M the largest reward: no
  /// exponential can overflow at a small β₁, and no digits cancel at a large one. (The authors'
  /// unshifted formula overflows for β₁ below r / 709.)
  /// - Throws: `ArgumentError` for no rewards, a reward that is not finite, and a negative or NaN
  ///   `beta`.
  public static func optimalValue(_ rewards: [Double], beta: Double) throws -> Double {
    try check(rewards)
    guard beta >= 0 else {
      throw ArgumentError(
        "beta: a number >= 0 expected, where 0 means the maximum and infinity the mean, got \(beta)"
      )
    }
    if beta == 0 { return largest(rewards) }
    if beta == .infinity { return mean(rewards) }
    let shift = largest(rewards)
    var sum = 0.0
    for (index, reward) in rewards.enumerated() {
      if index % Interrupt.interval == Interrupt.interval - 1 { try Interrupt.check() }
      sum += expm1((reward - shift) / beta)
    }
    return shift + beta * log1p(sum / Double(rewards.count))
  }

  /// The value of a prompt in one of the four modes; only `optimal` uses `beta`.
  public static func value(
    _ rewards: [Double], mode: ValueMode = .optimal, beta: Double
  ) throws -> Double {
    if mode == .optimal { return try optimalValue(rewards, beta: beta) }
    try check(rewards)
    switch mode {
    case .mean: return mean(rewards)
    case .max: return largest(rewards)
    case .zero, .optimal: return 0
    }
  }

  /// The value by the convention of the authors' settings: β₁ = 0 for the mean, below 0 for zero.
  ///
  /// It is not the limit β₁ → 0, which is the maximum (A-PO repository,
  /// verl/utils/dataset/rl_dataset.py).
  public static func valueAsAuthors(_ rewards: [Double], beta1: Double) throws -> Double {
    let mode: ValueMode = beta1 < 0 ? .zero : beta1 == 0 ? .mean : .optimal
    return try value(rewards, mode: mode, beta: beta1)
  }

  /// The residual e = β₂ ln(π(y|x) / π_ref(y|x)) − A of a completion with advantage A = r(x, y) −
  /// V*(x).
  @inline(__always)
  static func residual<Number: BinaryFloatingPoint>(
    logp: Number, reference: Number, target: Number, beta2: Number
  ) -> Number {
    beta2 * (logp - reference) - target
  }

  /// The regression loss, mean over b of e_b², as a scalar: what `apo.train` minimises.
  ///
  /// All tensors are [B]: `logp` and `reference` are sums over the completion's tokens of ln π and
  /// ln π_ref, `target` is the advantage. Every input that requires a gradient gets one; in
  /// training only `logp` does. The arithmetic matches the same formula in tensor operations, to
  /// the bit.
  /// - Throws: `TrainingError` if shapes differ from [B], B ≥ 1, or a value is not finite, which
  ///   names the sample.
  public static func loss(
    logp: Tensor, reference: Tensor, target: Tensor, beta2: Double
  ) throws -> Tensor {
    let inputs = [logp, reference, target]
    try check(inputs, names: ["logp", "ref_logp", "target"])
    guard beta2.isFinite else {
      throw ArgumentError("beta: a finite number expected, got \(beta2)")
    }
    let beta = Float(beta2)
    let residuals = (0..<logp.count).map {
      residual(
        logp: logp.pointer[$0], reference: reference.pointer[$0], target: target.pointer[$0],
        beta2: beta)
    }
    let share = 1 / Double(logp.count)
    let loss = Tensor(Float(longSum(residuals.map { $0 * $0 }, residuals.count) * share))
    return Tensor.recorded("astarpo", inputs, loss) { gradient, into in
      // dL/de_b = 2 e_b / B, times de/dlogp = β₂, de/dref = −β₂, de/dA = −1.
      let scale = gradient[0] * Float(share)
      for (input, factor) in [beta, -beta, -1].enumerated() {
        guard let buffer = into[input] else { continue }
        for (b, e) in residuals.enumerated() { buffer[b] += scale * (e + e) * factor }
      }
    }
  }

  private static func largest(_ values: [Double]) -> Double { values.max() ?? 0 }

  private static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  private static func check(_ rewards: [Double]) throws(ArgumentError) {
    guard !rewards.isEmpty else { throw ArgumentError("rewards: at least one number expected") }
    for (index, reward) in rewards.enumerated() where !reward.isFinite {
      throw ArgumentError("rewards: finite numbers expected, number \(index + 1) is \(reward)")
    }
  }

  private static func check(_ inputs: [Tensor], names: [String]) throws(TrainingError) {
    for (tensor, name) in zip(inputs, names) {
      guard tensor.shape.count == 1, tensor.count > 0, tensor.shape == inputs[0].shape else {
        throw .lossShape(name: name, tensor.shape, logp: inputs[0].shape)
      }
      for b in 0..<tensor.count where !tensor.pointer[b].isFinite {
        throw .lossValue(name: name, sample: b, tensor.pointer[b])
      }
    }
  }
}
