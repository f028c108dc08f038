import Fuzzing
import Models
import TestSupport
import Testing
import Text

/// A short run of the fuzzer: the same readers and damage, without sanitizer and guidance;
/// `scripts/fuzz` is the long one. A crash ends the test run.
@Suite("Damaged files", .serialized)
struct FuzzTests {
  static let count = 400

  @Test("Are read or refused with their place", arguments: FuzzReader.names)
  func short(_ name: String) throws {
    try withTemporaryFolder { path in
      let reader = try #require(try FuzzReader.named(name, in: FuzzFolder(path)))
      var mutator = Mutator(seed: 20_261_122)
      var (refused, accepted) = (0, 0)
      func give(_ input: [UInt8]) throws {
        let outcome = try input.withUnsafeBytes { try reader.run($0) }
        if outcome.refusal == nil { accepted += 1 } else { refused += 1 }
      }
      for seed in reader.seeds {
        try give(seed)
        for _ in 0..<max(1, Self.count / reader.seeds.count) { try give(mutator.mutate(seed)) }
      }
      #expect(refused > 0 && accepted > 0)
    }
  }

  @Test("A model that cannot fit is refused before memory is taken")
  func hostileSizes() throws {
    let fields = [
      "model_type": "\"llama\"", "vocab_size": "16777216", "hidden_size": "262144",
      "intermediate_size": "1048576", "num_hidden_layers": "4096", "num_attention_heads": "16384",
    ]
    let text = "{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    let configuration = try ModelConfiguration(JSON.parse(text), source: "config.json")
    let error = errorText { _ = try Transformer.random(configuration, seed: 1) }
    #expect(error?.contains("MB of memory needed") == true, "\(error ?? "no error")")
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
