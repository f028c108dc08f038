import Foundation
import TestSupport
import Testing
import Text

@testable import Models
@testable import Tensors
@testable import Training

/// Adapters that PEFT made (Tests/Fixtures/make_lora.py) against what PEFT and torch computed with
/// them.
@Suite(.serialized, .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct LoRAReferenceTests {
  static let models = ["tiny-qwen2-tied", "tiny-llama-mha", "tiny-qwen3", "tiny-gpt2"]

  private static func folder(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/lora/\(name)").standardized.path
  }

  private func adapted(_ name: String) throws -> (ReferenceModel, Transformer, Safetensors) {
    let reference = try ReferenceModel(name)
    let adapter = try reference.model.readAdapter(folder: Self.folder(name))
    let expected = try Safetensors(file: Self.folder(name) + "/expected.safetensors")
    return (reference, try reference.model.adapted(by: adapter), expected)
  }

  private func loss(_ reference: ReferenceModel, _ model: Transformer, microBatch: Int? = nil)
    throws
    -> Tensor
  {
    let sequences = try reference.trainSequences()
    let tokens = try model.logProbabilities(sequences, microBatch: microBatch).select(0)
    let logp = try Tensor.segmentSum(tokens, lengths: sequences.map(\.completion.count))
    let ref = try reference.apo("ref_logprobs").elements.map {
      Float($0.elements.reduce(0) { $0 + $1.double })
    }
    let (rewards, values) = try (reference.apo("reward").floats, reference.apo("v_star").floats)
    let count = [rewards.count]
    return try AStarPO.loss(
      logp: logp, reference: Tensor(ref, shape: count),
      target: Tensor(zip(rewards, values).map { $0 - $1 }, shape: count),
      beta2: reference.apo("beta2").double)
  }

  @Test(arguments: models)
  func logitsEqualPEFT(name: String) throws {
    let (reference, model, expected) = try adapted(name)
    let tokens = try reference.sequences("single")[0].tokens
    let logits = try withoutGradients { try model.logits(tokens) }.values
    #expect(largestDifference(logits, try expected.read("logits")) < 1e-4)
    let merged = try withoutGradients { try model.merged().logits(tokens) }.values
    #expect(largestDifference(merged, logits) < 1e-4)
    let base = try withoutGradients { try model.base().logits(tokens) }.values
    #expect(base == (try withoutGradients { try reference.model.logits(tokens) }.values))
    #expect(largestDifference(base, logits) > 1e-2)
  }

  @Test(arguments: models, [nil, 1] as [Int?])
  func gradientsEqualTorch(name: String, microBatch: Int?) throws {
    let (reference, model, expected) = try adapted(name)
    try loss(reference, model, microBatch: microBatch).backward()
    for (parameter, tensor) in model.trainedParameters {
      let gradient = try expected.read("grad.\(parameter)")
      let largest = gradient.reduce(0) { max($0, abs($1)) }
      let ours = try #require(tensor.gradient).values
      #expect(largestDifference(ours, gradient) < 2e-4 * largest, "\(parameter)")
    }
    #expect(model.weights.allSatisfy { $0.weight.tensor?.gradient == nil })
  }

  @Test(arguments: models)
  func threeStepsEqualTorch(name: String) throws {
    let (reference, model, expected) = try adapted(name)
    let optimizer = try AdamW(
      model.trainedParameters, options: AdamWOptions(learningRate: 1e-3, weightDecay: 0.01))
    let (losses, norms) = try (expected.read("losses"), expected.read("norms"))
    var packed: [ObjectIdentifier] = []
    for step in losses.indices {
      let loss = try loss(reference, model)
      let tolerance = (step == 0 ? 1e-5 : 1e-4) * losses[step]
      #expect(abs(loss.pointer[0] - losses[step]) < tolerance)
      try loss.backward()
      let norm = try optimizer.step(maxGradNorm: 1).gradientNorm
      #expect(abs(norm - Double(norms[step])) < 1e-4 * Double(norms[step]))
      // A step changes the adapter alone: the frozen weights need not be packed again.
      let now = try model.weights.filter { $0.name.hasSuffix("proj.weight") }.map {
        try $0.weight.pack()
        return ObjectIdentifier(try #require($0.weight.panels) as AnyObject)
      }
      #expect(step == 0 || now == packed)
      packed = now
    }
    for (parameter, tensor) in model.trainedParameters {
      let stored = try expected.read("step3.\(parameter)")
      #expect(largestDifference(tensor.values, stored) < 2e-5, "\(parameter)")
    }
  }

  /// Checkpoints without `model.` or `transformer.` have the same adapters: their names are those
  /// of the classes.
  @Test(arguments: ["tiny-qwen2-tied", "tiny-gpt2"])
  func namesDoNotDependOnTheCheckpoints(name: String) throws {
    let (reference, model, _) = try adapted(name)
    let long = model.configuration.names.prefix
    let weights = Dictionary(
      uniqueKeysWithValues: reference.model.parameters.map { ($0.name, $0.tensor) })
    let short = try Transformer(model.configuration, prefix: "") { name, _ in
      try #require(weights[long + name])
    }
    let again = try short.adapted(by: short.readAdapter(folder: Self.folder(name)))
    #expect(again.trainedParameters.map(\.name) == model.trainedParameters.map(\.name))
    let tokens = try reference.sequences("single")[0].tokens
    #expect(try again.logits(tokens).values == model.logits(tokens).values)
    #expect(try again.merged().weights.map(\.name) == short.weights.map(\.name))
  }

  /// What PEFT wrote and what we write of it are the same.
  @Test(arguments: models)
  func aSavedAdapterIsTheOneThatWasRead(name: String) throws {
    let (_, model, _) = try adapted(name)
    try withTemporaryFolder { folder in
      try model.saveAdapter(folder: folder)
      let files = try [Self.folder(name), folder].map {
        try Safetensors(file: "\($0)/adapter_model.safetensors")
      }
      #expect(files[0].names == files[1].names)
      for tensor in files[0].names {
        #expect(try files[0].read(tensor) == files[1].read(tensor))
        #expect(try files[0].shape(of: tensor) == files[1].shape(of: tensor))
      }
      let settings = try [Self.folder(name), folder].map {
        try JSON.read("\($0)/adapter_config.json")
      }
      #expect(settings[0] == settings[1])
    }
  }

  @Test(arguments: models)
  func anotherModelsAdapterIsRefused(name: String) throws {
    let other = try Transformer(folder: Fixtures.path("models/tiny-llama-rope3"))
    let text = try #require(
      errorText { _ = try other.readAdapter(folder: Self.folder(name)) })
    let expected = [
      "tiny-qwen2-tied": "has shape [4, 48], [4, ", "tiny-llama-mha": "has shape [2, ",
      "tiny-qwen3": "has shape [4, 40], [4, ",
      "tiny-gpt2": "adapter_config.json: field 'target_modules' names no linear map of this model "
        + "(it has down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj)",
    ]
    #expect(text.contains(try #require(expected[name])), "\(text)")
  }
}
