import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Models
@testable import Tensors

/// Calls of `Interrupt.check` and the threads that made them.
private let calls = Mutex<[UInt: Int]>([:])
/// The number of calls after which the user has asked to stop.
private let callsAllowed = Atomic(Int.max)

private func isRequested() -> Bool {
  calls.withLock {
    $0[UInt(pthread_self()), default: 0] += 1
    return $0.values.reduce(0, +) > callsAllowed.load(ordering: .relaxed)
  }
}

/// Threads that decode sequences of their own, against one thread that decodes all.
@Suite(.serialized, .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct LaneTests {
  /// Runs `body` on a team of so many threads; returns the number of threads that took steps.
  @discardableResult
  private func threads(_ count: Int, patience: Int = .max, _ body: () throws -> Void) rethrows
    -> Int
  {
    let before = (Team.shared, Interrupt.isRequested)
    defer { (Team.shared, Interrupt.isRequested) = before }
    Team.shared = Team(threads: count)
    callsAllowed.store(patience, ordering: .relaxed)
    calls.withLock { $0 = [:] }
    Interrupt.isRequested = { isRequested() }
    try body()
    return calls.withLock { $0.count }
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
    func run() throws -> [Completion] {
      try Generator(
        model, SamplingOptions(n: 3, maxTokens: 80), endTokens: [5], seed: 2, step: 9,
        maxSequences: atATime
      ).generate(requests).flatMap { $0 }
    }
    var alone: [Completion] = []
    #expect(try threads(1) { alone = try run() } == 1)
    #expect(Set(alone.map(\.ids.count)).count > 20)
    for count in [2, 4] {
      var completions: [Completion] = []
      let used = try threads(count) { completions = try run() }
      #expect(atATime < 8 * count || used == count)
      #expect(completions.map(\.ids) == alone.map(\.ids))
      #expect(completions.map(\.logProbabilities) == alone.map(\.logProbabilities))
      #expect(completions.map(\.finishReason) == alone.map(\.finishReason))
    }
  }

  @Test func anInterruptInALaneEndsTheCall() throws {
    let model = try Transformer(folder: Fixtures.path("models/tiny-llama-mha"))
    func run() throws -> [[Int]] {
      try Generator(
        model, SamplingOptions(n: 64, maxTokens: 60), endTokens: [], seed: 2, step: 9
      ).generate([GenerationRequest(prompt: [7, 8], row: 0)])[0].map(\.ids)
    }
    var expected: [[Int]] = []
    var asked = 0
    threads(2) {
      expected = (try? run()) ?? []
      asked = calls.withLock { $0.values.reduce(0, +) }
    }
    for patience in [asked / 4, asked / 2] {
      let used = threads(2, patience: patience) {
        #expect(errorText { _ = try run() } == "interrupted!")
      }
      #expect(used == 2)
    }
    var again: [[Int]] = []
    try threads(2) { again = try run() }
    #expect(again == expected)
  }
}
