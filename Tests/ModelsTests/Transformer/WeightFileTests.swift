import Core
import TestSupport
import Testing
import Text

@testable import Models
@testable import Tensors

/// Folders as they are found: names with and without a prefix, buffers of old files,
/// half-precision, missing weights.
@Suite(.serialized, .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct WeightFileTests {
  private typealias Arrays = [(name: String, shape: [Int], values: [Float])]

  private func arrays(_ source: String) throws -> Arrays {
    let file = try Safetensors(folder: source)
    return try file.names.map { ($0, try file.shape(of: $0), try file.read($0)) }
  }

  /// A copy of a fixture's folder whose tensors `change` has changed.
  private func changed<Result>(
    _ fixture: String, _ change: (inout Arrays) throws -> Void,
    _ body: (String) throws -> Result
  ) throws -> Result {
    let source = Fixtures.path("models/\(fixture)")
    var arrays = try arrays(source)
    try change(&arrays)
    return try withTemporaryFolder { folder in
      try writeConfiguration(of: source, to: folder)
      try Safetensors.write(arrays: arrays, to: folder + "/model.safetensors")
      return try body(folder)
    }
  }

  private func writeConfiguration(of source: String, to folder: String) throws {
    let text = try ModelConfiguration(folder: source).json(dataType: "float32").text()
    try AtomicFile.write(folder + "/config.json", text)
  }

  private func logits(_ model: Transformer) throws -> [Float] {
    try withoutGradients { try model.logits([3, 14, 15, 9, 2]) }.values
  }

  @Test(arguments: [("tiny-gpt2", "transformer."), ("tiny-llama-rope3", "model.")])
  func namesWithoutPrefixAreRead(name: String, prefix: String) throws {
    let expected = try logits(Transformer(folder: Fixtures.path("models/\(name)")))
    try changed(name) { arrays in
      for i in arrays.indices where arrays[i].name.hasPrefix(prefix) {
        arrays[i].name.removeFirst(prefix.count)
      }
    } _: { folder in
      let model = try Transformer(folder: folder)
      #expect(try logits(model) == expected)
      #expect(try logits(model.clone()) == expected)
      try model.save(folder: folder + "/again")
      let (first, second) = try (arrays(folder), arrays(folder + "/again"))
      #expect(first.map(\.name) == second.map(\.name))
      #expect(first.map(\.shape) == second.map(\.shape))
      #expect(first.map(\.values) == second.map(\.values))
    }
  }

  @Test func allThatDoesNotFitIsNamedAtOnce() throws {
    try changed("tiny-llama-rope3") { arrays in
      arrays.removeAll { $0.name.hasSuffix("layers.0.mlp.up_proj.weight") }
      arrays.removeAll { $0.name.hasSuffix("layers.1.mlp.up_proj.weight") }
      arrays[0].shape = arrays[0].shape.reversed()
      arrays.append(("foo.bar", [1], [0]))
    } _: { folder in
      let error = #expect(throws: FileError.self) { try Transformer(folder: folder) }
      let text = "\(try #require(error))"
      for part in [
        "2 tensors are missing: 'model.layers.0.mlp.up_proj.weight', "
          + "'model.layers.1.mlp.up_proj.weight'; tensor '",
        "expected from config.json; 1 tensors have no place in the model config.json describes: "
          + "'foo.bar'",
      ] { #expect(text.contains(part), "\(text)") }
    }
  }

  @Test func buffersOfOldFilesAreIgnored() throws {
    let expected = try logits(Transformer(folder: Fixtures.path("models/tiny-gpt2")))
    try changed("tiny-gpt2") { arrays in
      arrays.append(("transformer.h.0.attn.bias", [1, 1, 2, 2], [1, 0, 1, 1]))
      arrays.append(("transformer.h.0.attn.masked_bias", [], [-10_000]))
      let embedding = try #require(arrays.first { $0.name == "transformer.wte.weight" })
      arrays.append(("lm_head.weight", embedding.shape, embedding.values))
    } _: { folder in
      let ours = try logits(Transformer(folder: folder))
      #expect(ours == expected)
    }
  }

  @Test func aTiedHeadThatIsAnotherIsRefused() throws {
    try changed("tiny-gpt2") { arrays in
      var head = try #require(arrays.first { $0.name == "transformer.wte.weight" })
      head.name = "lm_head.weight"
      head.values[7] += 1
      arrays.append(head)
    } _: { folder in
      #expect(
        errorText { _ = try Transformer(folder: folder) }
          == "\(folder)/model.safetensors: tensor 'lm_head.weight' is not "
          + "'transformer.wte.weight', which config.json says it is ('tie_word_embeddings')")
    }
  }

  @Test(arguments: ["tiny-gpt2", "tiny-qwen3", "tiny-qwen2-sharded", "tiny-mistral-swa"])
  func savedFoldersGiveTheSameBits(name: String) throws {
    let source = Fixtures.path("models/\(name)")
    let model = try Transformer(folder: source)
    try withTemporaryFolder { folder in
      try model.save(folder: folder)
      let again = try logits(Transformer(folder: folder))
      #expect(try again == logits(model))
      let (first, second) = try (arrays(source), arrays(folder))
      #expect(first.map(\.name) == second.map(\.name))
      #expect(first.map(\.values) == second.map(\.values))
    }
  }

  @Test func missingExtraAndWronglyShapedWeightsAreNamed() throws {
    try changed("tiny-gpt2") {
      $0.removeAll { $0.name == "transformer.h.1.ln_1.bias" }
    } _: { folder in
      let text = errorText { _ = try Transformer(folder: folder) }
      let file = folder + "/model.safetensors"
      #expect(text == "\(file): tensor 'transformer.h.1.ln_1.bias' is missing")
    }
    try changed("tiny-qwen3") { arrays in
      arrays.append(("model.layers.0.self_attn.q_proj.bias", [1], [0]))
      arrays.append(("model.layers.2.mlp.up_proj.weight", [1], [0]))
    } _: { folder in
      #expect(
        errorText { _ = try Transformer(folder: folder) }
          == "\(folder)/model.safetensors: 2 tensors have no place in the model config.json "
          + "describes: 'model.layers.0.self_attn.q_proj.bias', 'model.layers.2.mlp.up_proj.weight'"
      )
    }
    try changed("tiny-qwen3") { arrays in
      let index = arrays.firstIndex { $0.name == "model.layers.0.self_attn.q_norm.weight" } ?? 0
      arrays[index] = (arrays[index].name, [8], [Float](repeating: 1, count: 8))
    } _: { folder in
      #expect(
        errorText { _ = try Transformer(folder: folder) }
          == "\(folder)/model.safetensors: tensor 'model.layers.0.self_attn.q_norm.weight' has "
          + "shape [8], [16] expected from config.json")
    }
  }

  /// Biases that no fixture has: with ones at zero, the logits stay; with others, they change.
  @Test(arguments: ["attention_bias", "mlp_bias"])
  func biasesAreReadAndUsed(key: String) throws {
    var config = try ModelConfiguration(folder: Fixtures.path("models/tiny-llama-mha")).original
    config.set(key, .bool(true))
    let configuration = try ModelConfiguration(config, source: "config.json")
    let model = try Transformer.random(configuration, seed: 1)
    let before = try logits(model)
    let names =
      key == "mlp_bias"
      ? ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
      : ["self_attn.q_proj", "self_attn.v_proj", "self_attn.o_proj"]
    for name in names {
      let full = "model.layers.0.\(name).bias"
      let bias = try #require(model.parameters.first { $0.name == full }?.tensor)
      bias.pointer.update(repeating: 0.5, count: bias.count)
      bias.storage.didChange()
      #expect(try logits(model) != before, "\(name)")
      bias.pointer.update(repeating: 0, count: bias.count)
      bias.storage.didChange()
      #expect(try logits(model) == before)
    }
  }

  /// `gelu` lies near its approximation, `gelu_fast` is the same formula, the others are far away.
  @Test(
    arguments: [
      ("gelu", 1e-4...1e-2), ("gelu_fast", 0...0), ("relu", 0.1...10), ("silu", 0.1...10),
    ] as [(String, ClosedRange<Float>)])
  func activationsOfGPT2(name: String, distance: ClosedRange<Float>) throws {
    let source = Fixtures.path("models/tiny-gpt2")
    let expected = try logits(Transformer(folder: source))
    try withTemporaryFolder { folder in
      try Transformer(folder: source).save(folder: folder)
      var config = try JSON.read(folder + "/config.json")
      config.set("activation_function", .string(name))
      try AtomicFile.write(folder + "/config.json", config.text())
      let difference = try largestDifference(logits(Transformer(folder: folder)), expected)
      #expect(distance.contains(difference))
    }
  }

  @Test(arguments: ["tiny-qwen2-tied", "tiny-gpt2"])
  func halfPrecisionFilesAreRead(name: String) throws {
    let source = Fixtures.path("models/\(name)")
    let model = try Transformer(folder: source)
    try withTemporaryFolder { folder in
      try writeConfiguration(of: source, to: folder)
      try writeHalves(arrays(source), to: folder + "/model.safetensors")
      let halves = try Transformer(folder: folder)
      for (full, half) in zip(model.parameters, halves.parameters) {
        #expect(half.tensor.values == full.tensor.values.map { Float(Float16($0)) })
      }
    }
  }

  private func writeHalves(_ arrays: Arrays, to path: String) throws {
    var header: [JSON.Member] = []
    var data: [UInt8] = []
    for array in arrays {
      let start = data.count
      for value in array.values {
        withUnsafeBytes(of: Float16(value).bitPattern.littleEndian) { data += $0 }
      }
      header.append(
        JSON.Member(
          array.name,
          .object([
            JSON.Member("dtype", .string("F16")),
            JSON.Member("shape", .array(array.shape.map { .integer($0) })),
            JSON.Member("data_offsets", .array([.integer(start), .integer(data.count)])),
          ])))
    }
    let text = Array(try JSON.object(header).text().utf8)
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    try AtomicFile.write(path, length + text + data)
  }
}
