import Foundation
import Kernels
import Models
import Tensors
import TestSupport
import Testing

@testable import Training

extension Reference.AdamW {
  fileprivate mutating func step(_ g: [Double], _ o: AdamWOptions) {
    step(
      g, learningRate: o.learningRate, beta1: o.beta1, beta2: o.beta2, epsilon: o.epsilon,
      weightDecay: o.weightDecay)
  }
}

private func parameter(_ values: [Float]) throws -> Tensor {
  let tensor = Tensor(values, shape: [values.count])
  try tensor.setRequiresGradient(true)
  return tensor
}

private func numbers(_ count: Int, seed: UInt64, scale: Double = 1) -> [Float] {
  var random = RandomStream(seed: seed)
  return (0..<count).map { _ in Float(random.normal() * scale) }
}

private func give(_ gradient: [Float], to tensor: Tensor) {
  tensor.setGradient(Tensor(gradient, shape: tensor.shape))
}

@Suite struct AdamWTests {
  @Test(arguments: [0.0, 0.1]) func stepsEqualTheReference(decay: Double) throws {
    let options = try AdamWOptions(learningRate: 3e-3, epsilon: 1e-6, weightDecay: decay)
    let start = [numbers(20_003, seed: 1), numbers(5, seed: 2)]
    let tensors = try start.map(parameter)
    let optimizer = try AdamW([("a", tensors[0]), ("b", tensors[1])], options: options)
    var twins = start.map { Reference.AdamW($0.map(Double.init)) }
    for step in 1...5 {
      var square = 0.0
      for (index, tensor) in tensors.enumerated() {
        let gradient = numbers(tensor.count, seed: UInt64(10 * step + index), scale: 0.01)
        square += gradient.reduce(0) { $0 + Double($1) * Double($1) }
        give(gradient, to: tensor)
        twins[index].step(gradient.map(Double.init), options)
      }
      let before = tensors.map(\.values)
      let report = try optimizer.step()
      #expect(abs(report.gradientNorm - square.squareRoot()) < 1e-12 * report.gradientNorm)
      let change = zip(before, tensors).map { old, tensor in
        zip(old, tensor.values).reduce(0.0) { $0 + pow(Double($1.1 - $1.0), 2) }
      }
      #expect(abs(report.updateNorm - change.reduce(0, +).squareRoot()) < 1e-12)
    }
    for (tensor, twin) in zip(tensors, twins) {
      let worst = zip(tensor.values, twin.w).map { abs(Double($0) - $1) }.max() ?? 1
      #expect(worst < 1e-6)
      #expect(tensor.storage.version == 5)
    }
  }

  /// The second step by hand: lr 0.1, λ 0, ε 0, gradients 1 then −1.
  @Test func stepsByHand() throws {
    let w = try parameter([1])
    let optimizer = try AdamW(
      [("w", w)], options: AdamWOptions(learningRate: 0.1, epsilon: 0, weightDecay: 0))
    give([1], to: w)
    _ = try optimizer.step()
    #expect(abs(w.values[0] - 0.9) < 1e-7)
    give([-1], to: w)
    _ = try optimizer.step()
    // m = 0.9·0.1 − 0.1 = −0.01, over 1 − 0.81 is −1/19; v over its correction is 1.
    #expect(abs(Double(w.values[0]) - (0.9 + 0.1 / 19)) < 1e-7)
  }

  @Test func clippingScalesByTorchsFactor() throws {
    let gradient: [Float] = [3, 4, 0]
    let options = try AdamWOptions(learningRate: 0.1, epsilon: 1, weightDecay: 0)
    for (limit, factor) in [(1.0, 1 / (5 + 1e-6)), (5.0, 5 / (5 + 1e-6)), (6.0, 1.0)] {
      let w = try parameter([0, 0, 0])
      var twin = Reference.AdamW([0, 0, 0])
      give(gradient, to: w)
      let norm = try AdamW([("w", w)], options: options).step(maxGradNorm: limit).gradientNorm
      twin.step(gradient.map { Double($0) * factor }, options)
      #expect(norm == 5)
      for (got, expected) in zip(w.values, twin.w) { #expect(abs(Double(got) - expected) < 1e-8) }
    }
  }

  @Test func withoutGradientNothingMovesAndStepsAreNotCounted() throws {
    let (a, b) = (try parameter([1]), try parameter([1]))
    let optimizer = try AdamW([("a", a), ("b", b)], options: AdamWOptions(weightDecay: 0.5))
    give([1], to: a)
    _ = try optimizer.step()
    #expect(b.values == [1])
    #expect(b.storage.version == 0)
    #expect(a.gradient == nil)
    give([1], to: a)
    give([1], to: b)
    _ = try optimizer.step()
    #expect(optimizer.state.mapValues(\.step) == ["a": 2, "b": 1])
    #expect(
      errorText { _ = try optimizer.step() }
        == "adamw: no parameter has a gradient; call loss:backward() first")
    for tensor in [a, b] { try tensor.setRequiresGradient(false) }
    #expect(
      errorText { _ = try optimizer.step() }
        == "adamw: no parameter has a gradient; none requires one (is the model frozen?)")
  }

  @Test func nonFiniteGradientsChangeNothing() throws {
    let (a, b) = (try parameter([1, 2]), try parameter([3, 4]))
    let optimizer = try AdamW([("first", a), ("second", b)], options: AdamWOptions())
    give([1, 1], to: a)
    give([0, .infinity], to: b)
    #expect(
      errorText { _ = try optimizer.step(maxGradNorm: 1) }
        == "adamw: the gradient of 'second' is not finite (element 2 is inf); nothing was changed")
    #expect(a.values == [1, 2] && b.values == [3, 4])
    #expect(optimizer.state.isEmpty)
    #expect(a.gradient?.values == [1, 1])
    #expect(a.storage.version == 0)
    // Large finite gradients have a norm: 3e38 squared is no float, but it is a double.
    give([3e38, 0], to: b)
    #expect(try optimizer.step(maxGradNorm: 1).gradientNorm.isFinite)
  }

  @Test func goingOnFromSavedStateGivesTheSameBytes() throws {
    let options = try AdamWOptions(learningRate: 0.01)
    func run(_ tensor: Tensor, _ optimizer: AdamW, _ steps: ClosedRange<UInt64>) throws {
      for step in steps {
        give(numbers(tensor.count, seed: step), to: tensor)
        _ = try optimizer.step(maxGradNorm: 1)
      }
    }
    let whole = try parameter(numbers(100, seed: 0))
    try run(whole, AdamW([("w", whole)], options: options), 1...6)

    let half = try parameter(numbers(100, seed: 0))
    let first = try AdamW([("w", half)], options: options)
    try run(half, first, 1...3)
    let second = try AdamW([("w", half)], options: options)
    try second.restore(first.state)
    try run(half, second, 4...6)
    #expect(half.values == whole.values)
  }

  @Test func restoreChecksWhatItIsGiven() throws {
    let w = try parameter([1, 2])
    let optimizer = try AdamW([("w", w)], options: AdamWOptions())
    func state(_ mean: [Float], _ square: [Float], step: Int = 1) -> AdamW.State {
      AdamW.State(
        step: step, mean: Tensor(mean, shape: [mean.count]),
        square: Tensor(square, shape: [square.count]))
    }
    let good = state([1, 2], [1, 2])
    #expect(
      errorText { try optimizer.restore(["w": good, "x": good]) }
        == "adamw: state of an unknown parameter 'x'")
    #expect(
      errorText { try optimizer.restore(["w": state([1], [1, 2])]) }
        == "adamw: state of 'w' has shape [1], the parameter [2]")
    #expect(
      errorText { try optimizer.restore(["w": state([1, 2], [1, -1])]) }
        == "adamw: state of 'w' holds 2.0 and -1.0")
    #expect(
      errorText { try optimizer.restore(["w": state([1, 2], [1, 1], step: -1)]) }
        == "adamw: state of 'w' has step -1")
    #expect(optimizer.state.isEmpty)
  }

  @Test func wrongArguments() throws {
    let w = try parameter([1])
    let options = try AdamWOptions()
    #expect(
      errorText { _ = try AdamWOptions(learningRate: -1) }
        == "lr: a finite number >= 0 expected, got -1.0")
    #expect(
      errorText { _ = try AdamWOptions(beta2: 1) }
        == "betas: two numbers in [0, 1) expected, got 1.0")
    #expect(
      errorText { _ = try AdamW([], options: options) } == "adamw: no parameters were given")
    #expect(
      errorText { _ = try AdamW([("a", w), ("b", w)], options: options) }
        == "adamw: parameter 'b' is given twice")
    let optimizer = try AdamW([("w", w)], options: options)
    #expect(
      errorText { _ = try optimizer.step(maxGradNorm: 0) }
        == "max_grad_norm: a number above 0 expected (math.huge for no clipping), got 0")
    #expect(
      errorText { try optimizer.setLearningRate(.nan) }
        == "lr: a finite number >= 0 expected, got nan")
    try optimizer.setLearningRate(0.5)
    #expect(optimizer.learningRate == 0.5)
    w.setGradient(Tensor([1, 2], shape: [2]))
    #expect(
      errorText { _ = try optimizer.step() }
        == "adamw: the gradient of 'w' has shape [2], the parameter [1]")
  }
}
