import Foundation
import Models
import TestSupport
import Testing

@testable import Training

@Suite struct ScheduleTests {
  /// The values of transformers' formulas, written as there.
  @Test func equalsTheFormulasOfTransformers() throws {
    let linear = try Schedule(.linear, warmupSteps: 4, totalSteps: 20)
    let cosine = try Schedule(.cosine, warmupSteps: 4, totalSteps: 20, minimumRatio: 0.1)
    let constant = try Schedule(.constant, warmupSteps: 4)
    for step in 0..<20 {
      let rising = Double(step) / Double(max(1, 4))
      let progress = Double(step - 4) / Double(max(1, 20 - 4))
      let wave = max(0, 0.5 * (1 + cos(Double.pi * 0.5 * 2 * progress)))
      let straight = max(0, Double(20 - step) / Double(max(1, 20 - 4)))
      #expect(abs(linear.factor(step: step) - (step < 4 ? rising : straight)) < 1e-15)
      #expect(abs(cosine.factor(step: step) - (step < 4 ? rising : wave * 0.9 + 0.1)) < 1e-15)
      #expect(constant.factor(step: step) == min(1, rising))
    }
  }

  @Test func beginningAndEnd() throws {
    #expect(try Schedule(.constant).factor(step: 0) == 1)
    #expect(try Schedule(.linear, totalSteps: 10).factor(step: 0) == 1)
    for shape in [Schedule.Shape.linear, .cosine] {
      let schedule = try Schedule(shape, totalSteps: 10, minimumRatio: 0.2)
      #expect(abs(schedule.factor(step: 5) - 0.6) < 1e-15)
      for step in [10, 11, Int.max] { #expect(schedule.factor(step: step) == 0.2) }
      #expect(schedule.factor(step: -3) == 1)
    }
  }

  @Test func wrongArguments() {
    #expect(
      errorText { _ = try Schedule(.linear, warmupSteps: -1) }
        == "warmup_steps: a whole number >= 0 expected, got -1")
    #expect(
      errorText { _ = try Schedule(.cosine, warmupSteps: 10, totalSteps: 10) }
        == "total_steps: more than warmup_steps (10) expected, got 10")
    #expect(
      errorText { _ = try Schedule(.cosine, totalSteps: 10, minimumRatio: .nan) }
        == "min_ratio: a number in [0, 1] expected, got nan")
  }
}
