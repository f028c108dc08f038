import Core
import Kernels
import Models
import Tensors

/// AdamW (Loshchilov & Hutter, arXiv 1711.05101) with the arithmetic of `torch.optim.AdamW`.
///
/// For a parameter w with gradient g, at its own step t, in float32:
/// ```
/// w ← w (1 − lr λ)
/// m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
/// w ← w − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
/// ```
/// Weight decay applies to every parameter, as torch's default does. Left out: amsgrad, maximize,
/// parameter groups.
public final class AdamW {
  /// The optimizer state of one parameter.
  public struct State {
    /// Number of updates of the parameter: t.
    public fileprivate(set) var step: Int
    /// First moment m, of the parameter's shape.
    public let mean: Tensor
    /// Second moment v, of the parameter's shape.
    public let square: Tensor

    /// A state read from a checkpoint.
    public init(step: Int, mean: Tensor, square: Tensor) {
      self.step = step
      self.mean = mean
      self.square = square
    }
  }

  /// The result of a step.
  public struct Step: Sendable {
    /// Global gradient norm before clipping.
    public let gradientNorm: Double
    /// Norm of the change of all parameters.
    public let updateNorm: Double
  }

  /// The hyperparameters.
  public private(set) var options: AdamWOptions
  let parameters: [(name: String, tensor: Tensor)]
  var states: [State?]
  /// The snapshot.
  var copy: Snapshot?

  /// An optimizer of `parameters`, whose names appear in errors and checkpoints.
  ///
  /// - Throws: `ArgumentError` for no parameters, one given twice, or a tensor that is not a leaf.
  public init(
    _ parameters: [(name: String, tensor: Tensor)], options: AdamWOptions
  ) throws(ArgumentError) {
    guard !parameters.isEmpty else { throw ArgumentError("adamw: no parameters were given") }
    var names = Set<String>()
    var tensors = Set<ObjectIdentifier>()
    for (name, tensor) in parameters {
      guard names.insert(name).inserted, tensors.insert(ObjectIdentifier(tensor)).inserted else {
        throw ArgumentError("adamw: parameter '\(name)' is given twice")
      }
      guard tensor.isParameter || !tensor.requiresGradient else {
        throw ArgumentError("adamw: '\(name)' is the result of an operation and not a parameter")
      }
    }
    self.parameters = parameters
    self.options = options
    states = Array(repeating: nil, count: parameters.count)
  }

  /// The learning rate.
  public var learningRate: Double { options.learningRate }

  /// Sets the learning rate; throws `ArgumentError` unless it is finite and not negative.
  public func setLearningRate(_ rate: Double) throws(ArgumentError) {
    try options.setLearningRate(rate)
  }

  /// Clears the gradients of all parameters.
  public func zeroGradients() {
    for (_, tensor) in parameters { tensor.clearGradient() }
  }

  /// Updates every parameter that has a gradient and clears the gradients, so `zero_grad` is not
  /// needed.
  ///
  /// With `maxGradNorm` the gradients are first scaled by min(1, maxGradNorm / (norm + 1e-6)), as
  /// by torch's `clip_grad_norm_`. Parameters without a gradient do not change, not even by weight
  /// decay.
  /// - Throws: `TrainingError` for a `maxGradNorm` that is not > 0, if no parameter
  ///   has a gradient or one is not finite. Parameters, averages and gradients are then as they
  ///   were.
  public func step(maxGradNorm: Double? = nil) throws -> Step {
    if let limit = maxGradNorm, !(limit > 0) {
      throw TrainingError.maxGradNorm(limit)
    }
    let active = try parametersWithGradient()
    let gradients = active.map(\.gradient)
    let norm = chunkedNorm(gradients.map(\.count)) { index, range in
      sumOfSquares(gradients[index].pointer + range.lowerBound, range.count)
    }
    guard norm.isFinite else { throw nonFinite(active) }
    let clip = maxGradNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1
    for (index, _) in active { try makeMissingState(index) }
    let updates = active.compactMap { begin($0.index, $0.gradient, clip: clip) }
    let change = chunkedNorm(gradients.map(\.count)) { index, range in
      updateAdamW(updates[index].pointers, range, updates[index].rule)
    }
    for (index, _) in active { parameters[index].tensor.storage.didChange() }
    zeroGradients()
    return Step(gradientNorm: norm, updateNorm: change)
  }

  private func parametersWithGradient() throws(TrainingError) -> [(index: Int, gradient: Tensor)] {
    var active: [(index: Int, gradient: Tensor)] = []
    for (index, parameter) in parameters.enumerated() {
      guard let gradient = parameter.tensor.gradient else { continue }
      guard gradient.count == parameter.tensor.count else {
        throw .gradientShape(
          parameter: parameter.name, gradient.shape, expected: parameter.tensor.shape)
      }
      active.append((index, gradient))
    }
    if active.isEmpty {
      throw .noGradient(isFrozen: !parameters.contains { $0.tensor.requiresGradient })
    }
    return active
  }

  private func nonFinite(_ active: [(index: Int, gradient: Tensor)]) -> TrainingError {
    for (index, gradient) in active {
      guard let element = (0..<gradient.count).first(where: { !gradient.pointer[$0].isFinite })
      else { continue }
      return .gradientValue(
        parameter: parameters[index].name, element: element, gradient.pointer[element])
    }
    return .gradientNorm
  }

  private func makeMissingState(_ index: Int) throws(TensorError) {
    guard states[index] == nil else { return }
    let shape = parameters[index].tensor.shape
    states[index] = State(
      step: 0, mean: try .zeroResult(shape, for: "adamw"),
      square: try .zeroResult(shape, for: "adamw"))
  }

  /// Increments a parameter's step and prepares its update.
  private func begin(
    _ index: Int, _ gradient: Tensor, clip: Double
  ) -> (pointers: AdamWPointers, rule: AdamWRule)? {
    states[index]?.step += 1
    guard let state = states[index] else { return nil }
    let pointers = AdamWPointers(
      weights: parameters[index].tensor.pointer, gradient: gradient.pointer,
      mean: state.mean.pointer, square: state.square.pointer)
    let rule = AdamWRule(
      learningRate: options.learningRate, beta1: options.beta1, beta2: options.beta2,
      epsilon: options.epsilon, weightDecay: options.weightDecay, step: state.step, clip: clip)
    return (pointers, rule)
  }
}

// MARK: - Checkpoints

extension AdamW {
  /// The state of every updated parameter by name: the optimizer's own tensors, not copies.
  public var state: [String: State] {
    var result: [String: State] = [:]
    for (parameter, state) in zip(parameters, states) { result[parameter.name] = state }
    return result
  }

  /// Restores a state from `state`; parameters that it does not name start from scratch.
  ///
  /// - Throws: `ArgumentError` naming the first entry that is unknown, of a wrong shape, or holds
  ///   impossible numbers; `TensorError` where memory is short.
  public func restore(_ state: [String: State]) throws {
    var restored = [State?](repeating: nil, count: parameters.count)
    var found = 0
    for (index, (name, tensor)) in parameters.enumerated() {
      guard let entry = state[name] else { continue }
      try check(entry, name, shape: tensor.shape)
      restored[index] = State(
        step: entry.step, mean: try entry.mean.copied(), square: try entry.square.copied())
      found += 1
    }
    guard found == state.count else {
      let known = Set(parameters.map(\.name))
      let unknown = state.keys.filter { !known.contains($0) }.sorted()
      throw ArgumentError("adamw: state of an unknown parameter '\(unknown.first ?? "")'")
    }
    states = restored
  }

  private func check(_ state: State, _ name: String, shape: [Int]) throws(ArgumentError) {
    for tensor in [state.mean, state.square] where tensor.shape != shape {
      throw ArgumentError(
        "adamw: state of '\(name)' has shape \(tensor.shape), the parameter \(shape)")
    }
    guard state.step >= 0, state.step < 1 << 53 else {
      throw ArgumentError("adamw: state of '\(name)' has step \(state.step)")
    }
    for i in 0..<state.mean.count {
      let (mean, square) = (state.mean.pointer[i], state.square.pointer[i])
      guard mean.isFinite, square >= 0 else {
        throw ArgumentError("adamw: state of '\(name)' holds \(mean) and \(square)")
      }
    }
  }
}

/// Elements per unit of work and of summation: results do not depend on the number of threads.
private let chunkSize = 8192

/// √ of the sum of what `body` returns for all chunks of tensors with the given counts, added in a
/// fixed order.
private func chunkedNorm(_ counts: [Int], _ body: (Int, Range<Int>) -> Double) -> Double {
  let chunks = counts.enumerated().flatMap { index, count in
    blocks(count, size: chunkSize).map { (index, $0) }
  }
  var sums = [Double](repeating: 0, count: chunks.count)
  sums.withUnsafeMutableBufferPointer { sums in
    Team.shared.forEach(chunks.count, atLeast: 4) { range in
      for chunk in range { sums[chunk] = body(chunks[chunk].0, chunks[chunk].1) }
    }
  }
  return sums.reduce(0, +).squareRoot()
}
