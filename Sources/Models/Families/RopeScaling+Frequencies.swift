import Glibc

// The formulas of Hugging Face transformers 5.23 (modeling_rope_utils.py), in single precision where it computes in
// single precision: a frequency that differs in its last bit is an angle off by a thousandth at position 30,000.

extension RopeScaling {
  /// The angle per position of each pair of a head's elements: [size / 2].
  ///
  /// Without scaling, theta^(−2i / size) for pair i (arXiv 2104.09864).
  public func frequencies(size: Int, theta: Double) -> [Float] {
    let plain = stride(from: 0, to: size, by: 2).map { 1 / Self.period($0, size, theta) }
    switch self {
    case .none, .dynamic: return plain
    case .linear(let factor): return plain.map { $0 / Float(factor) }
    case .yarn(let yarn): return yarn.frequencies(size: size, theta: theta)
    case .llama3(let llama): return plain.map(llama.frequency)
    }
  }

  /// What cosines and sines are multiplied by: 1, unless yarn asks for more.
  public var attentionFactor: Float {
    if case .yarn(let yarn) = self { Float(yarn.attentionFactor) } else { 1 }
  }

  /// theta^(element / size): the wavelength of a pair over 2π.
  fileprivate static func period(_ element: Int, _ size: Int, _ theta: Double) -> Float {
    Float(pow(Double(Float(theta)), Double(Float(element) / Float(size))))
  }
}

extension RopeScaling.Llama3 {
  /// With wavelength λ and original context L: f / factor where λ > L / low, f where λ < L / high, and between them
  /// (1 − s) f / factor + s f with s = (L / λ − low) / (high − low).
  fileprivate func frequency(_ plain: Float) -> Float {
    let context = Float(originalContext)
    let (low, high) = (Float(lowFrequencyFactor), Float(highFrequencyFactor))
    let wavelength = Float(2 * Double.pi) / plain
    if wavelength > context / low { return plain / Float(factor) }
    if wavelength < context / high { return plain }
    let smooth = (context / wavelength - low) / (high - low)
    return (1 - smooth) * plain / Float(factor) + smooth * plain
  }
}

extension RopeScaling.Yarn {
  /// Between f / factor and f on a slope over the pairs that turn from `betaSlow` to `betaFast` times over the original
  /// context.
  fileprivate func frequencies(size: Int, theta: Double) -> [Float] {
    let (first, last) = slope(size: size, theta: theta)
    return (0..<size / 2).map { pair in
      let period = RopeScaling.period(2 * pair, size, theta)
      let interpolated = min(1, max(0, (Float(pair) - first) / (last - first)))
      let kept = 1 - interpolated
      return 1 / (Float(factor) * period) * (1 - kept) + 1 / period * kept
    }
  }

  /// The pairs where the slope begins and ends.
  private func slope(size: Int, theta: Double) -> (first: Float, last: Float) {
    func pair(turns: Double) -> Double {
      Double(size) * Glibc.log(Double(originalContext) / (turns * 2 * .pi))
        / (2 * Glibc.log(theta))
    }
    var (first, last) = (pair(turns: betaFast), pair(turns: betaSlow))
    if truncates { (first, last) = (first.rounded(.down), last.rounded(.up)) }
    first = max(first, 0)
    last = min(last, Double(size - 1))
    return (Float(first), Float(first == last ? last + 0.001 : last))
  }
}
