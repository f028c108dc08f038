import Glibc

/// The natural logarithm, correctly rounded from double precision.
func log(_ x: Float) -> Float { Float(Glibc.log(Double(x))) }

/// ln Σ exp(scale x[i]) of a row, shifted by its maximum so that it does not overflow.
public func logSumExp(_ x: UnsafePointer<Float>, _ count: Int, scale: Float) -> Float {
  let shift = maximum(x, count) * scale
  guard shift.isFinite else { return shift }
  var total = Vector.zero
  var i = 0
  while i + 16 <= count {
    total += exponential(Vector(at: x + i) * scale - shift)
    i += 16
  }
  var sum = total.total
  while i < count {
    sum += exponential(Vector(repeating: x[i]) * scale - shift)[0]
    i += 1
  }
  return shift + log(sum)
}

/// weights[i] = exp(x[i] − largest) for a row whose largest value is finite and known, and the bits
/// of its `logSumExp` at scale 1: the additions are the same.
///
/// `masses` receives the sum of each block of `blockSize` weights, a multiple of 16. `weights` may
/// be `x`.
public func softmaxWeights(
  _ x: UnsafePointer<Float>, _ count: Int, largest: Float,
  into weights: UnsafeMutablePointer<Float>, masses: UnsafeMutablePointer<Double>, blockSize: Int
) -> Float {
  let whole = count / 16 * 16
  var total = Vector.zero
  for (block, start) in stride(from: 0, to: count, by: blockSize).enumerated() {
    var mass = Vector.zero
    var i = start
    while i < min(start + blockSize, whole) {
      let weight = exponential(Vector(at: x + i) - largest)
      weight.store(to: weights + i)
      total += weight
      mass += weight
      i += 16
    }
    masses[block] = Double(mass.total)
  }
  var sum = total.total
  for i in whole..<count {
    weights[i] = exponential(Vector(repeating: x[i]) - largest)[0]
    sum += weights[i]
    masses[i / blockSize] += Double(weights[i])
  }
  return largest + log(sum)
}

/// The entropy −Σ p ln p of softmax(scale x), in nats, given the row's `logSumExp`.
public func entropy(
  _ x: UnsafePointer<Float>, _ count: Int, scale: Float, logSumExp: Float
) -> Float {
  var total = Vector.zero
  var i = 0
  while i + 16 <= count {
    let logp = Vector(at: x + i) * scale - logSumExp
    var term = exponential(logp) * logp
    term.replace(with: 0, where: logp .== -.infinity)
    total += term
    i += 16
  }
  var sum = total.total
  while i < count {
    let logp = x[i] * scale - logSumExp
    if logp > -.infinity { sum += exponential(Vector(repeating: logp))[0] * logp }
    i += 1
  }
  return -sum
}

/// Turns a row of logits into d loss / d logits of its log-probability and entropy, in place.
///
/// For ln p(target) with weight g:  g scale (1[j = target] − p_j).
/// For the entropy H with weight h:  −h scale p_j (ln p_j + H).
public func tokenLogProbabilityBackward(
  _ x: UnsafeMutablePointer<Float>, _ count: Int, target: Int, scale: Float, logSumExp: Float,
  gradient g: Float, entropy: Float, entropyGradient h: Float
) {
  var i = 0
  while i + 16 <= count {
    logitGradient(Vector(at: x + i) * scale - logSumExp, scale, g, entropy, h).store(to: x + i)
    i &+= 16
  }
  if i < count {
    let rest = Vector(at: x + i, count: count - i)
    logitGradient(rest * scale - logSumExp, scale, g, entropy, h)
      .store(to: x + i, count: count - i)
  }
  x[target] += g * scale
}

@inline(__always)
private func logitGradient(
  _ logp: Vector, _ scale: Float, _ g: Float, _ entropy: Float, _ h: Float
) -> Vector {
  let p = exponential(logp)
  let result = p * (-g * scale)
  guard h != 0 else { return result }
  let pull = p * (logp + entropy) * (h * scale)
  return result - pull.replacing(with: 0, where: p .== 0)
}
