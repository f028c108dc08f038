import Glibc

// AdamW on one chunk of one parameter, which stays in the cache between the three loops. These are
// scalar loops that the compiler vectorises; each takes at most four pointers, because with five it
// gives up on the aliasing checks.

/// The constants of one parameter's update, rounded to float32 as torch rounds them.
public struct AdamWRule: Sendable {
  let clip: Float
  let decay: Float
  let beta1: Float
  let newShare1: Float
  let beta2: Float
  let newShare2: Float
  let stepSize: Float
  let rootCorrection: Float
  let epsilon: Float

  /// The rule of update number `step` (from 1) of a parameter, whose gradient is multiplied by
  /// `clip`.
  public init(
    learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
    step: Int, clip: Double
  ) {
    self.clip = Float(clip)
    decay = Float(1 - learningRate * weightDecay)
    self.beta1 = Float(beta1)
    newShare1 = Float(1 - beta1)
    self.beta2 = Float(beta2)
    newShare2 = Float(1 - beta2)
    stepSize = Float(learningRate / (1 - pow(beta1, Double(step))))
    rootCorrection = Float((1 - pow(beta2, Double(step))).squareRoot())
    self.epsilon = Float(epsilon)
  }
}

/// A parameter's weights, gradient and moments m and v.
public struct AdamWPointers {
  let weights: UnsafeMutablePointer<Float>
  let gradient: UnsafePointer<Float>
  let mean: UnsafeMutablePointer<Float>
  let square: UnsafeMutablePointer<Float>

  /// Arrays of one length.
  public init(
    weights: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
    mean: UnsafeMutablePointer<Float>, square: UnsafeMutablePointer<Float>
  ) {
    (self.weights, self.gradient, self.mean, self.square) = (weights, gradient, mean, square)
  }
}

/// Updates the elements in `range` and returns the sum of the squares of the weights' changes.
public func updateAdamW(_ p: AdamWPointers, _ range: Range<Int>, _ rule: AdamWRule) -> Double {
  updateAverages(
    p.mean + range.lowerBound, p.square + range.lowerBound, p.gradient + range.lowerBound,
    range.count, rule)
  return withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { change in
    guard let change = change.baseAddress else { return 0 }
    updateWeights(
      p.weights + range.lowerBound, p.mean + range.lowerBound, p.square + range.lowerBound,
      change, range.count, rule)
    return sumOfSquares(change, range.count)
  }
}

/// m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g².
private func updateAverages(
  _ m: UnsafeMutablePointer<Float>, _ v: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>,
  _ count: Int, _ rule: AdamWRule
) {
  for i in 0..<count {
    let gradient = g[i] * rule.clip
    m[i] = rule.beta1 * m[i] + rule.newShare1 * gradient
    v[i] = rule.beta2 * v[i] + rule.newShare2 * gradient * gradient
  }
}

/// w ← w (1 − lr λ) − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε), keeping the change of w.
private func updateWeights(
  _ w: UnsafeMutablePointer<Float>, _ m: UnsafePointer<Float>, _ v: UnsafePointer<Float>,
  _ change: UnsafeMutablePointer<Float>, _ count: Int, _ rule: AdamWRule
) {
  for i in 0..<count {
    let old = w[i]
    // Taking the magnitude rules out the root of a negative number, which would set errno and
    // prevent vectorisation.
    let root = v[i].magnitude.squareRoot() / rule.rootCorrection + rule.epsilon
    let new = old * rule.decay - rule.stepSize * m[i] / root
    w[i] = new
    change[i] = new - old
  }
}

/// The sum of squares in Double: finite for any finite floats, and always added in the same order.
public func sumOfSquares(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
  var total = SIMD8<Double>.zero
  var i = 0
  while i + 8 <= count {
    let wide = SIMD8<Double>(UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Float>.self))
    total += wide * wide
    i += 8
  }
  var rest = 0.0
  while i < count {
    rest += Double(x[i]) * Double(x[i])
    i += 1
  }
  return total.sum() + rest
}
