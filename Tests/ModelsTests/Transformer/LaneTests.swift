import Core
import Synchronization
import TestSupport
import Testing

@testable import Models
@testable import Tensors

/// Calls of `Interrupt.check`, and after how many the user has asked to stop.
private let calls = Atomic(0)
private let callsAllowed = Atomic(Int.max)

/// Threads that decode sequences of their own, against one thread that decodes all.
@Suite(.serialized, .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct LaneTests {
  /// Runs `body` on a team of so many threads, until it has asked `patience` times whether to stop.
  private func threads<R>(
    _ count: Int, patience: Int = .max, _ body: () throws -> R
  ) rethrows -> R {
    let before = (Team.shared, Interrupt.isRequested)
    defer { (Team.shared, Interrupt.isRequested) = before }
    Team.shared = Team(threads: count)
    calls.store(0, ordering: .relaxed)
    callsAllowed.store(patience, ordering: .relaxed)
    Interrupt.isRequested = {
      calls.add(1, ordering: .relaxed).newValue > callsAllowed.load(ordering: .relaxed)
    }
    return try body()
  }

  /// Whether all lanes took steps.
  private func tookSteps(_ generator: Generator) -> Bool {
    generator.lanes.allSatisfy { !$0.tokens.isEmpty }
  }

  /// Many lengths, few or many at a time, so that prompts enter between rounds and lanes run dry.
  @Test(
    arguments: ["stories260K", "tiny-qwen3", "tiny-mistral-swa", "tiny-gpt2"], [17, 40, 256])
  func lanesChangeNoBit(name: String, atATime: Int) throws {
    let model = try Transformer(folder: Fixtures.path("models/\(name)"))
    let requests = (0..<30).map { i in
      GenerationRequest(
        prompt: (0...i * 7 % 70).map { 3 + ($0 * 31 + i * 17) % 290 }, row: UInt64(i),
        maxTokens: 1 + i * 29 % 70)
    }
    func run(_ count: Int) throws -> [Completion] {
      try threads(count) {
        let generator = try Generator(
          model, SamplingOptions(n: 3, maxTokens: 80), endTokens: [5], seed: 2, step: 9,
          maxSequences: atATime)
        let completions = try generator.generate(requests).flatMap { $0 }
        #expect(tookSteps(generator) == (atATime >= 8 * count))
        return completions
      }
    }
    let alone = try run(1)
    #expect(Set(alone.map(\.ids.count)).count > 20)
    for count in [2, 4] {
      let completions = try run(count)
      #expect(completions.map(\.ids) == alone.map(\.ids))
      #expect(completions.map(\.logProbabilities) == alone.map(\.logProbabilities))
      #expect(completions.map(\.finishReason) == alone.map(\.finishReason))
    }
  }

  @Test func anInterruptInALaneEndsTheCall() throws {
    let model = try Transformer(folder: Fixtures.path("models/tiny-llama-mha"))
    func generator() throws -> Generator {
      try Generator(
        model, SamplingOptions(n: 64, maxTokens: 60), endTokens: [], seed: 2, step: 9)
    }
    let requests = [GenerationRequest(prompt: [7, 8], row: 0)]
    let expected = try threads(2) { try generator().generate(requests)[0].map(\.ids) }
    let asked = calls.load(ordering: .relaxed)
    for patience in [asked / 4, asked / 2] {
      try threads(2, patience: patience) {
        let generator = try generator()
        #expect(errorText { _ = try generator.generate(requests) } == "interrupted!")
        #expect(tookSteps(generator))
      }
    }
    #expect(try threads(2) { try generator().generate(requests)[0].map(\.ids) } == expected)
  }
}
