import Foundation
import TestSupport
import Testing

@testable import Models
@testable import Tensors

/// Models whose matrices are held as bfloat16, against float32 models of the rounded weights.
@Suite(.serialized, .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct BFloat16ModelTests {
  private static let names = ["tiny-llama-mha", "tiny-qwen2-tied", "tiny-qwen3", "tiny-gpt2"]

  /// The same model with matrices rounded to bfloat16 and held as float32.
  private func twin(_ model: Transformer) throws -> Transformer {
    try model.clone(as: .bfloat16).clone(as: .float32)
  }

  @Test(arguments: names)
  func logitsAreThoseOfTheRoundedWeights(name: String) throws {
    let model = try Transformer(folder: Fixtures.path("models/\(name)"))
    let held = try model.clone(as: .bfloat16)
    let ids = [5, 17, 3, 99, 2, 40]
    let expected = try twin(model).logits(ids).values
    #expect(try held.logits(ids).values.map(\.bitPattern) == expected.map(\.bitPattern))
    #expect(try largestDifference(model.logits(ids).values, expected) > 0)
    #expect(held.weightType == .bfloat16)
    #expect(held.parameterCount == model.parameterCount)
    #expect(try held.checksum == twin(model).checksum)
    #expect(try held.clone().checksum == held.checksum)
  }

  @Test(arguments: names)
  func scoredIsSampledToTheBit(name: String) throws {
    let held = try Transformer(folder: Fixtures.path("models/\(name)"), as: .bfloat16)
    let options = try SamplingOptions(n: 2, maxTokens: 12, temperature: 0.8)
    let prompts = [[1, 7, 9], [2], [30, 31, 32, 33, 34]]
    func run(_ rows: [Int]) throws -> [[Completion]] {
      try Generator(held, options, endTokens: [], seed: 3, step: 1).generate(
        rows.map { GenerationRequest(prompt: prompts[$0], row: UInt64($0)) })
    }
    let together = try run([0, 1, 2])
    #expect(try run([1])[0].map(\.ids) == together[1].map(\.ids))
    let sequences = zip(prompts, together).flatMap { prompt, completions in
      completions.map { TokenSequence(prompt: prompt, completion: $0.ids) }
    }
    let scored = try held.logProbabilities(sequences, temperature: 0.8).select(0).values
    #expect(scored == together.joined().flatMap(\.logProbabilities))
  }

  @Test(arguments: names)
  func filesKeepTheBits(name: String) throws {
    let source = Fixtures.path("models/\(name)")
    let held = try Transformer(folder: source).clone(as: .bfloat16)
    try withTemporaryFolder { folder in
      try held.save(folder: folder)
      let file = try Safetensors(folder: folder)
      for (name, weight) in held.weights {
        #expect(try file.type(of: name) == .bfloat16)
        if weight.tensor == nil { #expect(try file.read(name) == weight.floats().values) }
      }
      #expect(try ModelConfiguration(folder: folder).dataType == "bfloat16")
      let again = try Transformer(folder: folder, as: .bfloat16)
      let full = try Transformer(folder: folder)
      #expect(try again.checksum == full.checksum)
      try again.save(folder: folder + "/second")
      let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/model.safetensors"))
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: folder + "/second/model.safetensors")) == bytes)
    }
  }

  @Test func weightsAreHeldOnce() throws {
    let before = Storage.liveBytes
    let held = try Transformer(
      folder: Fixtures.path("models/tiny-qwen2-tied"), as: .bfloat16)
    let loaded = Storage.liveBytes
    // Vectors are float32, and panels are filled up to 32 outputs.
    #expect(loaded - before < held.parameterCount * 3)
    _ = try held.logits([1, 2, 3])
    #expect(Storage.liveBytes == loaded)
    let copy = try held.clone()
    #expect(Storage.liveBytes - loaded < held.parameterCount / 2)
    withExtendedLifetime(copy) {}
  }

  @Test func theyAreNotTrained() throws {
    let held = try Transformer(folder: Fixtures.path("models/tiny-gpt2"), as: .bfloat16)
    #expect(
      errorText { try held.setTrainable(true) }
        == "training: the model's weights are held as bfloat16 and collect no gradients; "
        + #"clone{dtype = "float32"} gives a copy that does"#)
    try held.setTrainable(false)
    let score = try held.logProbabilities([TokenSequence(prompt: [1], completion: [2])])
    #expect(
      errorText { try score.select(0).sum().backward() }
        == "backward: the tensor does not depend on anything that requires a gradient")
  }
}
