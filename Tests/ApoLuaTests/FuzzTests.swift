import Fuzzing
import TestSupport
import Testing

/// A short run of the fuzzer: the same readers and damage, without sanitizer and guidance; `scripts/fuzz` is the long one.
/// A crash ends the test run.
@Suite("Damaged files", .serialized)
struct FuzzTests {
  static let count = 1500

  @Test("Are read or refused with their place", arguments: FuzzReader.names)
  func short(_ name: String) throws {
    try withTemporaryFolder { path in
      let reader = try #require(try FuzzReader.named(name, in: FuzzFolder(path)))
      var mutator = Mutator(seed: 20_261_122)
      var refused = 0
      for seed in reader.seeds {
        _ = try seed.withUnsafeBytes { try reader.run($0) }
        for _ in 0..<max(1, Self.count / reader.seeds.count) {
          let outcome = try mutator.mutate(seed).withUnsafeBytes { try reader.run($0) }
          if outcome.refusal != nil { refused += 1 }
        }
      }
      #expect(refused > 0 && refused < Self.count)
    }
  }

  @Test("A seed gives the same damage again")
  func repeats() {
    let input = Array(#"{"a": [1, 2], "b": "c"}"#.utf8)
    var (first, second, other) = (Mutator(seed: 1), Mutator(seed: 1), Mutator(seed: 2))
    let inputs = (0..<50).map { _ in first.mutate(input) }
    #expect(inputs == (0..<50).map { _ in second.mutate(input) })
    #expect(inputs != (0..<50).map { _ in other.mutate(input) })
  }
}
