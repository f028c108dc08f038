import Core
import Glibc
import Text

// How a model's rotary embedding was stretched to contexts longer than it was first trained on, as
// config.json says it: `rope_scaling` of older files and `rope_parameters` of newer ones, the kind
// under `rope_type` or `type`.

/// A change of the rotary embedding's frequencies.
public enum RopeScaling: Sendable, Equatable {
  /// Frequencies as they are.
  case none
  /// All frequencies divided by a factor (position interpolation, arXiv 2306.15595).
  case linear(factor: Double)
  /// A base that grows with sequences beyond the context; within it, frequencies as they are.
  case dynamic(factor: Double)
  /// Interpolation of the low frequencies alone, and sharper attention (arXiv 2309.00071).
  case yarn(Yarn)
  /// Llama 3.1's: long wavelengths divided by a factor, short ones kept, a slope between.
  case llama3(Llama3)

  /// Settings of `yarn`.
  public struct Yarn: Sendable, Equatable {
    /// What low frequencies are divided by.
    public let factor: Double
    /// What cosines and sines are multiplied by.
    public let attentionFactor: Double
    /// Turns over the original context from which a frequency is kept.
    public let betaFast: Double
    /// Turns over the original context up to which a frequency is divided by the whole factor.
    public let betaSlow: Double
    /// The context before the stretch.
    public let originalContext: Int
    /// Whether the ends of the slope are rounded outwards to whole dimensions.
    public let truncates: Bool
  }

  /// Settings of `llama3`.
  public struct Llama3: Sendable, Equatable {
    /// What low frequencies are divided by.
    public let factor: Double
    /// Turns over the original context up to which a frequency is low.
    public let lowFrequencyFactor: Double
    /// Turns over the original context from which a frequency is high.
    public let highFrequencyFactor: Double
    /// The context before the stretch.
    public let originalContext: Int
  }
}

extension RopeScaling {
  /// The object that holds the settings: `rope_scaling` unless it is empty, else `rope_parameters`.
  static func settings(_ fields: JSONFields) throws -> JSONFields? {
    if let old = try fields.object("rope_scaling"), old.value != .object([]) { return old }
    return try fields.object("rope_parameters")
  }

  /// Reads the settings of a config.json; throws on kinds that are not supported.
  init(_ fields: JSONFields, context: Int) throws {
    guard let rope = try Self.settings(fields) else {
      self = .none
      return
    }
    try Self.checkIsForAllLayers(rope)
    let key = rope["rope_type"] == nil ? "type" : "rope_type"
    let original = try Self.originalContext(rope, fields, context)
    switch try rope.string(key, default: "default").asName {
    case "default":
      for name in ["factor", "mrope_section"] where rope[name] ?? .null != .null {
        throw rope.error(name, "belongs to a kind of stretching, but '\(key)' names none")
      }
      self = .none
    case "linear": self = .linear(factor: try Self.factor(rope))
    case "dynamic": self = .dynamic(factor: try Self.factor(rope))
    case "yarn": self = .yarn(try Yarn(rope, originalContext: original))
    case "llama3": self = .llama3(try Llama3(rope, originalContext: original))
    case let kind:
      throw rope.error(
        key, "'\(kind)' is not supported (supported: default, dynamic, linear, llama3, yarn)")
    }
  }

  private static func originalContext(_ rope: JSONFields, _ fields: JSONFields, _ context: Int)
    throws -> Int
  {
    let key = "original_max_position_embeddings"
    let own = try rope.integer(key, in: 1...1 << 28, default: context)
    return try fields.integer(key, in: 1...1 << 28, default: own)
  }

  private static func checkIsForAllLayers(_ rope: JSONFields) throws {
    guard case .object(let members) = rope.value else { return }
    for member in members {
      if case .object = member.value {
        throw rope.error(member.key, "is not supported: one setting for all layers expected")
      }
    }
  }

  fileprivate static func factor(_ rope: JSONFields) throws -> Double {
    let factor = try rope.number("factor")
    guard factor >= 1, factor < 1e6 else {
      throw rope.error("factor", "must be a number of at least 1, got \(factor)")
    }
    return factor
  }
}

extension RopeScaling.Llama3 {
  fileprivate init(_ rope: JSONFields, originalContext: Int) throws {
    factor = try RopeScaling.factor(rope)
    lowFrequencyFactor = try rope.positive("low_freq_factor")
    highFrequencyFactor = try rope.positive("high_freq_factor")
    guard highFrequencyFactor > lowFrequencyFactor else {
      throw rope.error(
        "high_freq_factor",
        "must be above low_freq_factor (\(lowFrequencyFactor)), got \(highFrequencyFactor)")
    }
    self.originalContext = originalContext
  }
}

extension RopeScaling.Yarn {
  fileprivate init(_ rope: JSONFields, originalContext: Int) throws {
    factor = try RopeScaling.factor(rope)
    betaFast = try rope.positive("beta_fast", default: 32)
    betaSlow = try rope.positive("beta_slow", default: 1)
    truncates = try rope.bool("truncate", default: true)
    attentionFactor = try Self.attentionFactor(rope, factor)
    self.originalContext = originalContext
  }

  /// `attention_factor`, or m(mscale) / m(mscale_all_dim), or m(1), with m(s) = 0.1 s ln factor +
  /// 1.
  private static func attentionFactor(_ rope: JSONFields, _ factor: Double) throws -> Double {
    guard rope["attention_factor"] == nil else {
      return try rope.positive("attention_factor")
    }
    func m(_ scale: Double) -> Double { 0.1 * scale * log(factor) + 1 }
    let scale = try rope.number("mscale", default: 0)
    let scaleOfAll = try rope.number("mscale_all_dim", default: 0)
    for (key, value) in [("mscale", scale), ("mscale_all_dim", scaleOfAll)]
    where !(0..<1e6).contains(value) {
      throw rope.error(key, "must be a number from 0 to 1e6, got \(value)")
    }
    return scale != 0 && scaleOfAll != 0 ? m(scale) / m(scaleOfAll) : m(1)
  }
}

// The formulas of Hugging Face transformers 5.23 (modeling_rope_utils.py), in single precision
// where it computes in single precision: a frequency that differs in its last bit is an angle off
// by a thousandth at position 30,000.

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
  /// With wavelength λ and original context L: f / factor where λ > L / low, f where λ < L / high,
  /// and between them (1 − s) f / factor + s f with s = (L / λ − low) / (high − low).
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
  /// Between f / factor and f on a slope over the pairs that turn from `betaSlow` to `betaFast`
  /// times over the original context.
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
