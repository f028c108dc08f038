import Core
import Foundation
import Models
import Tensors
import TestSupport
import Testing

@testable import Training

struct ValueCases: Decodable {
  struct Case: Decodable {
    let rewards: [Double]
    let beta1: Double
    let exact_value: Double
  }
  let cases: [Case]
}

struct LossCases: Decodable {
  struct Case: Decodable {
    let i: Int
    let kind: String
    let attention_mask: [[Int]]
    let response_length: Int
    let log_probs, ref_log_probs, token_level_rewards: [[Double]]
    let v_star: [Double]
    let beta2, loss: Double
    let grad_log_probs: [[Double]]
  }
  let cases: [Case]
}

func decode<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
  try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: Fixtures.path(name))))
}

func vector(_ values: [Double]) -> Tensor { Tensor(values.map(Float.init), shape: [values.count]) }

/// Sums of a ragged batch: tokens [N] of rows with the given lengths to [B].
private func rowSums(_ tokens: Tensor, _ lengths: [Int]) -> Tensor {
  let starts = lengths.indices.map { lengths[..<$0].reduce(0, +) }
  let sums = zip(starts, lengths).map { start, length in
    (start..<start + length).reduce(Float(0)) { $0 + tokens.pointer[$1] }
  }
  return .recorded("row_sums", [tokens], Tensor(sums, shape: [lengths.count])) { gradient, into in
    for (row, start) in starts.enumerated() {
      for i in start..<start + lengths[row] { into[0]?[i] += gradient[row] }
    }
  }
}

@Suite struct AStarPOTests {
  @Test(.enabled(if: Fixtures.areThere, "\(Fixtures.missing)"))
  func valuesEqualTheExactOnes() throws {
    let cases = try decode(ValueCases.self, "losses/v_star.json").cases
    #expect(cases.count == 310)
    for row in cases {
      let value = try AStarPO.valueAsAuthors(row.rewards, beta1: row.beta1)
      let scale = max(1e-3, abs(row.exact_value), row.rewards.map(abs).max() ?? 0)
      #expect(abs(value - row.exact_value) <= 2e-16 * 8 * scale, "\(row) \(value)")
    }
  }

  @Test func valueOfBinaryRewards() throws {
    // V* = β₁ ln(1 − k/N + k/N e^(1/β₁)) for k of N correct.
    for k in 0...8 {
      let rewards = (0..<8).map { $0 < k ? 1.0 : 0.0 }
      let expected = 0.5 * log(1 - Double(k) / 8 + Double(k) / 8 * exp(2))
      #expect(abs(try AStarPO.optimalValue(rewards, beta: 0.5) - expected) < 1e-15)
    }
  }

  @Test func limitsOfBeta() throws {
    let rewards = [0.25, -1, 3, 0.5]
    #expect(try AStarPO.optimalValue(rewards, beta: 0) == 3)
    #expect(try AStarPO.optimalValue(rewards, beta: .infinity) == 0.6875)
    #expect(abs(try AStarPO.optimalValue(rewards, beta: 1e-9) - 3) < 1e-8)
    #expect(abs(try AStarPO.optimalValue(rewards, beta: 1e12) - 0.6875) < 1e-11)
    #expect(try AStarPO.optimalValue([-1e300, 1e300], beta: 1e-300) == 1e300)
    #expect(try AStarPO.optimalValue([0.1, 0.1, 0.1], beta: .leastNonzeroMagnitude) == 0.1)
    for beta in [1e-3, 0.1, 1, 100] {
      let value = try AStarPO.optimalValue(rewards, beta: beta)
      #expect(value >= 0.6875 && value <= 3)
    }
  }

  @Test func modes() throws {
    let rewards = [0.0, 1, 0.5]
    #expect(try AStarPO.value(rewards, mode: .mean, beta: 0.5) == 0.5)
    #expect(try AStarPO.value(rewards, mode: .max, beta: 0.5) == 1)
    #expect(try AStarPO.value(rewards, mode: .zero, beta: 0.5) == 0)
    let optimal = try AStarPO.optimalValue(rewards, beta: 0.5)
    #expect(try AStarPO.value(rewards, beta: 0.5) == optimal)
    #expect(AStarPO.ValueMode(rawValue: "optimal") == .optimal)
  }

  @Test func wrongArgumentsOfTheValue() {
    #expect(
      errorText { _ = try AStarPO.optimalValue([], beta: 1) }
        == "rewards: at least one number expected")
    #expect(
      errorText { _ = try AStarPO.value([1, .nan], mode: .zero, beta: 1) }
        == "rewards: finite numbers expected, number 2 is nan")
    for beta in [-0.5, .nan] {
      #expect(
        errorText { _ = try AStarPO.optimalValue([1], beta: beta) }
          == "beta: a number >= 0 expected, where 0 means the maximum and infinity the mean, "
          + "got \(beta)")
    }
    #expect(throws: ArgumentError.self) { try AStarPO.valueAsAuthors([1], beta1: .nan) }
  }

  @Test(.enabled(if: Fixtures.areThere, "\(Fixtures.missing)"))
  func lossAndGradientEqualTheAuthors() throws {
    let cases = try decode(LossCases.self, "losses/apo_loss.json").cases
    #expect(Set(cases.map(\.kind)).isSuperset(of: ["garbage", "empty", "prompt"]))
    for c in cases { try compareLoss(c) }
  }

  func compareLoss(_ c: LossCases.Case) throws {
    // Padding is not there at all in our layout, so what stands under the mask cannot matter.
    let masks = c.attention_mask.map { $0.suffix(c.response_length).map { $0 == 1 } }
    func ragged(_ rows: [[Double]]) -> [[Double]] {
      zip(rows, masks).map { row, mask in zip(row, mask).filter(\.1).map(\.0) }
    }
    let rows = ragged(c.log_probs)
    let tokens = vector(rows.flatMap { $0 })
    try tokens.setRequiresGradient(true)
    let loss = try AStarPO.loss(
      logp: rowSums(tokens, rows.map(\.count)),
      reference: vector(ragged(c.ref_log_probs).map { $0.reduce(0, +) }),
      target: vector(
        zip(ragged(c.token_level_rewards), c.v_star).map { $0.reduce(0, +) - $1 }),
      beta2: c.beta2)
    #expect(abs(Double(loss.values[0]) - c.loss) <= 2e-6 * max(1, c.loss), "case \(c.i)")
    try loss.backward()
    let gradient = ragged(c.grad_log_probs).flatMap { $0 }
    let largest = gradient.map(abs).max() ?? 0
    for (got, expected) in zip(tokens.gradient?.values ?? [], gradient) {
      #expect(abs(Double(got) - expected) <= 2e-6 * max(1e-3, largest), "case \(c.i)")
    }
    #expect(tokens.gradient?.count == gradient.count)
    // The rest of the authors' gradient, under the mask, is zero.
    let all = c.grad_log_probs.flatMap { $0 }.map(abs).reduce(0, +)
    #expect(abs(all - gradient.map(abs).reduce(0, +)) < 1e-12)
  }

  @Test func gradientsOfAllInputs() throws {
    let inputs = [[-3.0, -5], [-2.5, -6], [0.25, -0.25]].map(vector)
    for input in inputs { try input.setRequiresGradient(true) }
    try AStarPO.loss(logp: inputs[0], reference: inputs[1], target: inputs[2], beta2: 0.5)
      .backward()
    // Residuals: 0.5 (−0.5) − 0.25 = −0.5 and 0.5 (1) + 0.25 = 0.75; dL/de = e for B = 2.
    #expect(inputs[0].gradient?.values == [-0.25, 0.375])
    #expect(inputs[1].gradient?.values == [0.25, -0.375])
    #expect(inputs[2].gradient?.values == [0.5, -0.75])
  }

  @Test func wrongArgumentsOfTheLoss() {
    let two = vector([1, 2])
    func text(ref: Tensor? = nil, target: Tensor? = nil, beta2: Double = 1) -> String? {
      errorText {
        _ = try AStarPO.loss(
          logp: two, reference: ref ?? two, target: target ?? two, beta2: beta2)
      }
    }
    #expect(
      text(target: vector([1]))
        == "astarpo: logp, ref_logp and target of one shape [B] expected, "
        + "got target [1] and logp [2]")
    #expect(text(ref: vector([0, -.infinity])) == "astarpo: ref_logp of sample 2 is -inf")
    #expect(text(beta2: .nan) == "beta: a finite number expected, got nan")
    let empty = Tensor(zeros: [0])
    #expect(throws: TrainingError.self) {
      try AStarPO.loss(logp: empty, reference: empty, target: empty, beta2: 1)
    }
  }

  @Test func regressionDiagnostics() throws {
    let fit = try Regression(
      logp: [-3, -5, -1], reference: [-2.5, -6, -2], targets: [0.25, -0.25, 0.5], beta2: 0.5)
    #expect(fit.implicitRewards == [-0.25, 0.5, 0.5])
    #expect(fit.targets == [0.25, -0.25, 0.5])
    #expect(fit.residuals == [-0.5, 0.75, 0])
    #expect(abs(fit.meanResidual - 0.25 / 3) < 1e-15)
    #expect(abs(fit.rmsResidual - (0.8125 / 3).squareRoot()) < 1e-15)
    // Variances: of residuals 0.8125/3 − (0.25/3)², of advantages 0.375/3 − (0.5/3)².
    let expected = 1 - (0.8125 / 3 - 0.0625 / 9) / (0.375 / 3 - 0.25 / 9)
    #expect(abs((fit.explainedVariance ?? 9) - expected) < 1e-12)
    #expect(
      try Regression(logp: [1, 2], reference: [1, 1], targets: [3, 3], beta2: 1)
        .explainedVariance == nil)
  }
}
