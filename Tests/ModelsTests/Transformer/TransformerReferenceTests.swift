import TestSupport
import Testing

@testable import Models
@testable import Tensors

/// The models of the fixtures that the transformer can compute.
let referenceModels = [
  "tiny-qwen2-tied", "tiny-qwen2-untied", "tiny-llama-mha", "tiny-llama-bf16", "tiny-qwen2-sharded",
  "tiny-qwen3", "tiny-llama-rope3", "tiny-mistral-swa", "tiny-gpt2",
]

/// What the five cases of the reference are.
private let cases = [
  "train": "left-padded prompts, right-padded responses", "left": "left-padded",
  "right": "right-padded", "single": "unpadded", "long": "unpadded, long",
]

@Suite(.serialized, .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct TransformerReferenceTests {
  @Test(arguments: referenceModels)
  func logitsEqualTransformers(name: String) throws {
    let reference = try ReferenceModel(name)
    for test in ["train", "left", "right", "single", "long"] {
      let expected = try reference.forward.read("\(test).logits")
      let shape = try reference.forward.shape(of: "\(test).logits")
      let width = try reference.forward.shape(of: "\(test).input_ids")[1]
      for (row, (tokens, start)) in try reference.sequences(test).enumerated() {
        let logits = try withoutGradients { try reference.model.logits(tokens) }.values
        // Only the last positions of case long are stored.
        let skipped = max(0, width - shape[1] - start)
        let kept = logits.dropFirst(skipped * shape[2])
        let from = (row * shape[1] + max(0, start - (width - shape[1]))) * shape[2]
        let difference = largestDifference(kept, expected[from..<from + kept.count])
        let what = "logits, \(cases[test, default: test])"
        #expect(measured(difference, what, of: name) < 1e-4, "\(test) \(row)")
      }
    }
  }

  @Test(arguments: referenceModels, [Float(1), 0.7])
  func logProbabilitiesAndEntropiesEqualTransformers(name: String, temperature: Float) throws {
    let reference = try ReferenceModel(name)
    for test in ["train", "left", "right", "single", "long"] {
      let logp = try reference.forward.read("\(test).logprobs_t\(temperature)")
      let entropy = try reference.forward.read("\(test).entropy_t\(temperature)")
      let width = try reference.forward.shape(of: "\(test).logprobs_t1.0")[1]
      let sequences = try reference.sequences(test)
      let ours = try withoutGradients {
        try reference.model.logProbabilities(
          sequences.map {
            TokenSequence(prompt: [$0.tokens[0]], completion: Array($0.tokens[1...]))
          },
          temperature: temperature, entropy: true)
      }
      let places = sequences.enumerated().flatMap { row, sequence in
        (0..<sequence.tokens.count - 1).map { row * width + sequence.start + $0 }
      }
      let count = ours.shape[1]
      let logpDifference = largestDifference(ours.values[..<count], places.map { logp[$0] })
      let entropyDifference = largestDifference(ours.values[count...], places.map { entropy[$0] })
      let what = "at temperature \(temperature)"
      #expect(measured(logpDifference, "log-probabilities \(what)", of: name) < 1e-4)
      #expect(measured(entropyDifference, "entropies \(what)", of: name) < 1e-4)
    }
  }

  @Test(arguments: referenceModels, [nil, 1, 3] as [Int?])
  func gradientsEqualTransformers(name: String, microBatch: Int?) throws {
    let reference = try ReferenceModel(name)
    let sequences = try reference.trainSequences()
    let logp = try reference.model.logProbabilities(sequences, microBatch: microBatch)
    let beta = try Float(reference.apo("beta2").double)
    let (values, rewards) = try (reference.apo("v_star").floats, reference.apo("reward").floats)
    let ref = try reference.apo("ref_logprobs").elements.map { $0.floats }
    let seed = Tensor(zeros: logp.shape)
    var loss = 0.0
    var at = 0
    for (b, sequence) in sequences.enumerated() {
      let range = at..<at + sequence.completion.count
      let difference = range.reduce(Float(0)) { $0 + logp.pointer[$1] } - ref[b].reduce(0, +)
      let residual = beta * difference + values[b] - rewards[b]
      loss += Double(residual * residual) / Double(sequences.count)
      for i in range { seed.pointer[i] = 2 * residual * beta / Float(sequences.count) }
      at = range.upperBound
    }
    let expectedLoss = try reference.apo("loss").double
    #expect(abs(loss - expectedLoss) < 1e-4 * abs(expectedLoss))
    try logp.backward(seed: seed)
    let stored = try Safetensors(file: Fixtures.path("models/\(name)/ref/grads.safetensors"))
    for (parameter, tensor) in reference.model.parameters {
      let expected = try stored.read(parameter)
      let scale = expected.reduce(0) { max($0, abs($1)) }
      let difference = largestDifference(try #require(tensor.gradient).values, expected)
      let relative = measured(
        scale > 0 ? difference / scale : difference, "gradients, of the largest in the tensor",
        of: name)
      #expect(relative <= 2e-4, "\(parameter): \(difference) of \(scale)")
    }
  }

  @Test func storiesModelEqualsTransformers() throws {
    let reference = try ReferenceModel("stories260K")
    let long = try reference.forward.integers("long.input_ids")
    let logits = try withoutGradients { try reference.model.logits(long) }.values
    let expected = try reference.forward.read("long.logits_last16")
    let difference = largestDifference(logits.suffix(expected.count), expected)
    #expect(measured(difference, "logits, unpadded, long", of: "stories260K") < 1e-4)
    for temperature in ["1.0", "0.7"] {
      let stored = try reference.forward.read("train.response_logprobs_t\(temperature)")
      let sequences = try reference.trainSequences()
      let ours = try reference.model.logProbabilities(
        sequences, temperature: #require(Float(temperature))
      ).values
      let width = try reference.apo("response_width").intValue
      let places = sequences.enumerated().flatMap { row, s in
        (0..<s.completion.count).map { row * width + $0 }
      }
      #expect(largestDifference(ours[..<places.count], places.map { stored[$0] }) < 1e-4)
    }
  }
}
