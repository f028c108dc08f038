import Synchronization
import Testing

@testable import Tensors

@Suite struct TeamTests {
  @Test func everyIndexIsVisitedOnce() {
    let team = Team(threads: 4)
    for round in 0..<2_000 {
      let count = 1 + round % 97
      let visits = Storage(zeros: count)
      team.forEach(count) { range in for i in range { visits.pointer[i] += 1 } }
      #expect((0..<count).allSatisfy { visits.pointer[$0] == 1 })
    }
  }

  @Test func smallLoopsStayOnTheCallersThread() {
    let ranges = Atomic(0)
    Team(threads: 4).forEach(10, atLeast: 6) { _ in ranges.add(1, ordering: .relaxed) }
    #expect(ranges.load(ordering: .relaxed) == 1)
  }

  @Test func aLoopInsideALoopRuns() {
    let team = Team(threads: 3)
    let sum = Atomic(0)
    team.forEach(6) { outer in
      for _ in outer { team.forEach(5) { sum.add($0.count, ordering: .relaxed) } }
    }
    #expect(sum.load(ordering: .relaxed) == 30)
  }
}
