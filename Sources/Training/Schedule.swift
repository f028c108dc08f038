import Core
import Glibc
import Models

/// A learning-rate schedule: the factor of the base rate as a pure function of the step.
///
/// The formulas are those of transformers' `get_*_schedule_with_warmup`. With step s, W warm-up
/// steps, S steps in all and minimum ratio ρ, the factor is s / W while s < W, and then, with
/// progress p = (s − W) / (S − W) ≤ 1:
/// ```
/// constant  1
/// linear    ρ + (1 − ρ) (1 − p)
/// cosine    ρ + (1 − ρ) (1 + cos π p) / 2
/// ```
/// Steps count from 0, as there: with warm-up the first update has rate 0, without it the full
/// rate. After S steps the factor stays ρ, where transformers' cosine would rise again. Restarts
/// and other shapes are left out.
public struct Schedule: Sendable, Equatable {
  /// What the factor does after the warm-up.
  public enum Shape: String, CaseIterable, Sendable {
    /// It stays 1.
    case constant
    /// Linear decay.
    case linear
    /// Decay along half a cosine.
    case cosine
  }

  /// What the factor does after the warm-up.
  public let shape: Shape
  /// Steps in which the factor rises from 0 to 1: W.
  public let warmupSteps: Int
  /// Total steps: S. Ignored by `constant`.
  public let totalSteps: Int
  /// The factor at the end: ρ.
  public let minimumRatio: Double

  /// Validates the values.
  ///
  /// - Throws: `ArgumentError` for negative counts, a `minimumRatio` outside of [0, 1], and, unless
  ///   the shape is `constant`, a warm-up that leaves no steps.
  public init(
    _ shape: Shape, warmupSteps: Int = 0, totalSteps: Int = 0, minimumRatio: Double = 0
  ) throws(ArgumentError) {
    guard warmupSteps >= 0 else {
      throw ArgumentError("warmup_steps: a whole number >= 0 expected, got \(warmupSteps)")
    }
    guard shape == .constant || totalSteps > warmupSteps else {
      throw ArgumentError(
        "total_steps: more than warmup_steps (\(warmupSteps)) expected, got \(totalSteps)")
    }
    guard (0...1).contains(minimumRatio) else {
      throw ArgumentError("min_ratio: a number in [0, 1] expected, got \(minimumRatio)")
    }
    self.shape = shape
    self.warmupSteps = warmupSteps
    self.totalSteps = totalSteps
    self.minimumRatio = minimumRatio
  }

  /// The factor of the base rate for the update after `step` updates.
  public func factor(step: Int) -> Double {
    let step = max(0, step)
    if step < warmupSteps { return Double(step) / Double(warmupSteps) }
    if shape == .constant { return 1 }
    let progress = min(1, Double(step - warmupSteps) / Double(totalSteps - warmupSteps))
    let height = shape == .linear ? 1 - progress : 0.5 * (1 + cos(.pi * progress))
    return minimumRatio + (1 - minimumRatio) * height
  }
}
