import Foundation
import TestSupport
import Testing
import Text

@testable import Models
@testable import Tensors

/// Small models of Tests/Fixtures/families, one for each option that tells families apart, against
/// what Hugging Face transformers computes from them: Tests/Fixtures/make_families.py.
@Suite(.serialized) struct FamilyTests {
  static let names =
    (try? FileManager.default.contentsOfDirectory(atPath: localFixture("families")))?.sorted() ?? []

  private func load(_ name: String) throws -> (model: Transformer, reference: Safetensors) {
    let folder = localFixture("families/\(name)")
    return try (Transformer(folder: folder), Safetensors(file: folder + "/ref.safetensors"))
  }

  private func sequence(_ reference: Safetensors) throws -> TokenSequence {
    let ids = try reference.integers("ids")
    return TokenSequence(prompt: [ids[0]], completion: Array(ids[1...]))
  }

  @Test func thereAreModels() { #expect(Self.names.count >= 5) }

  /// What is described before a model is made is what it is made of, and what files hold.
  @Test(arguments: names) func layoutsDescribeTheTensors(name: String) throws {
    let (model, _) = try load(name)
    let layout = ModelLayout(model.configuration.architecture)
    let file = try Safetensors(folder: localFixture("families/\(name)"))
    #expect(layout.weights.map(\.name).sorted() == file.names)
    #expect(layout.weights.map(\.name) == model.weights.map(\.name))
    for (described, made) in zip(layout.weights, model.weights) {
      #expect(described.shape == made.weight.shape, "\(described.name)")
      #expect(try described.shape == file.shape(of: described.name), "\(described.name)")
    }
    #expect(layout.parameterCount == model.weights.reduce(0) { $0 + $1.weight.count })
    for type in Transformer.weightTypes {
      #expect(try model.clone(as: type).residentBytes == layout.weightBytes(as: type))
    }
  }

  @Test(arguments: names) func logitsEqualTransformers(name: String) throws {
    let (model, reference) = try load(name)
    let logits = try withoutGradients { try model.logits(reference.integers("ids")) }
    let difference = try largestDifference(logits.values, reference.read("logits"))
    #expect(measured(difference, "logits, unpadded", of: name) < 1e-4)
    let scored = try withoutGradients {
      try model.logProbabilities([sequence(reference)], entropy: true)
    }
    let expected = try reference.read("logprobs") + reference.read("entropies")
    #expect(largestDifference(scored.values, expected) < 1e-4)
  }

  @Test(arguments: names) func gradientsEqualTransformers(name: String) throws {
    let (model, reference) = try load(name)
    let scored = try model.logProbabilities([sequence(reference)])
    let count = scored.shape[1]
    let seed = Tensor(zeros: scored.shape)
    for i in 0..<count { seed.pointer[i] = -1 / Float(count) }
    try scored.backward(seed: seed)
    for (parameter, tensor) in model.parameters {
      let expected = try reference.read("grad.\(parameter)")
      // The gradient of a key's bias is 0: a constant in all scores of a query changes nothing.
      let scale = max(1e-2, expected.reduce(0) { max($0, abs($1)) })
      let difference = try largestDifference(#require(tensor.gradient).values, expected)
      #expect(difference <= 2e-4 * scale, "\(parameter): \(difference) of \(scale)")
    }
  }

  @Test(arguments: names) func greedyTokensEqualTransformers(name: String) throws {
    let (model, reference) = try load(name)
    let expected = try reference.integers("greedy")
    let prompt = try Array(reference.integers("ids")[..<6])
    let options = try SamplingOptions(maxTokens: expected.count, temperature: 0)
    let completion = try Generator(model, options, endTokens: [], seed: 1, step: 1)
      .generate([GenerationRequest(prompt: prompt, row: 0)])[0][0]
    #expect(completion.ids == expected)
  }

  @Test(arguments: names) func sampledLogProbabilitiesAreTheScoredOnes(name: String) throws {
    let model = try load(name).model
    let options = try SamplingOptions(n: 2, maxTokens: 40, temperature: 1)
    let requests = (0..<9).map { i in
      GenerationRequest(prompt: (0...i).map { ($0 * 7 + i) % 24 }, row: UInt64(i))
    }
    let completions = try Generator(model, options, endTokens: [5], seed: 3, step: 1)
      .generate(requests)
    let sequences = zip(requests, completions).flatMap { request, samples in
      samples.map { TokenSequence(prompt: request.prompt, completion: $0.ids) }
    }
    let scored = try model.logProbabilities(sequences)
    let sampled = completions.joined().flatMap(\.logProbabilities)
    let difference = largestDifference(scored.values[..<scored.shape[1]], sampled)
    #expect(measured(difference, "log-probabilities, sampled and scored", of: name) == 0)
  }

  @Test(arguments: names) func savedFoldersHoldTheSame(name: String) throws {
    let source = localFixture("families/\(name)")
    try withTemporaryFolder { folder in
      try load(name).model.save(folder: folder)
      let (first, second) = try (Safetensors(folder: source), Safetensors(folder: folder))
      #expect(first.names == second.names)
      for tensor in first.names {
        #expect(try first.shape(of: tensor) == second.shape(of: tensor))
        #expect(try first.read(tensor) == second.read(tensor))
      }
      var config = try JSON.read(source + "/config.json")
      config.set("torch_dtype", .string("float32"))
      #expect(try JSON.read(folder + "/config.json").text() == config.text())
      try Transformer(folder: folder).save(folder: folder + "/again")
      for file in ["model.safetensors", "config.json"] {
        #expect(
          FileManager.default.contentsEqual(
            atPath: "\(folder)/\(file)", andPath: "\(folder)/again/\(file)"))
      }
    }
  }
}
