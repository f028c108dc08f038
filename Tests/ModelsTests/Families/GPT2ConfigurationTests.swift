import Models
import TestSupport
import Testing
import Text

@Suite struct GPT2ConfigurationTests {
  func read(_ changes: String) throws -> ModelConfiguration {
    var value = try JSON.parse(
      #"{"model_type": "gpt2", "vocab_size": 32, "n_embd": 12, "n_layer": 2, "n_head": 4}"#)
    guard case .object(let members) = try JSON.parse(changes) else { throw JSONTestError() }
    for member in members { value.set(member.key, member.value) }
    return try ModelConfiguration(value, source: "config.json")
  }

  @Test func defaults() throws {
    let configuration = try read("{}")
    #expect(configuration.positions == .learned(table: "wpe"))
    #expect(configuration.norm == .layer && configuration.attentionBias == .all)
    #expect(configuration.intermediateSize == 48)
    #expect(configuration.keyValueHeadCount == 4)
    #expect(configuration.headSize == 3)
    #expect(configuration.normEpsilon == 1e-5)
    #expect(configuration.maxPositions == 1024)
    #expect(configuration.tiesEmbeddings)
    #expect(configuration.feedForward == .mlp(.geluTanh))
  }

  @Test func variants() throws {
    let configuration = try read(
      #"{"n_inner": 20, "activation_function": "gelu", "tie_word_embeddings": false}"#)
    #expect(configuration.intermediateSize == 20)
    #expect(configuration.feedForward == .mlp(.gelu))
    #expect(!configuration.tiesEmbeddings)
    #expect(try read(#"{"n_inner": null}"#).intermediateSize == 48)
    #expect(
      try read(#"{"activation_function": "gelu_pytorch_tanh"}"#).feedForward == .mlp(.geluTanh))
    #expect(try read(#"{"activation_function": "relu"}"#).feedForward == .mlp(.relu))
    #expect(try read(#"{"n_embd": 16}"#).layers.map(\.scoreScale) == [0.5, 0.5])
    #expect(try read(#"{"scale_attn_weights": false}"#).layers.map(\.scoreScale) == [1, 1])
    let byLayer = #"{"n_embd": 16, "scale_attn_by_inverse_layer_idx": true}"#
    #expect(try read(byLayer).layers.map(\.scoreScale) == [0.5, 0.25])
  }

  @Test(arguments: [
    (#"{"n_head": 5}"#, "'n_embd' must be a multiple of n_head (5), got 12"),
    (
      #"{"activation_function": "mish"}"#,
      "'activation_function' 'mish' is not supported (supported: gelu, gelu_fast, gelu_new, "
        + "gelu_pytorch_tanh, relu, silu, swish)"
    ),
    (#"{"add_cross_attention": true}"#, "'add_cross_attention' true is not supported"),
  ])
  func refuses(_ changes: String, _ text: String) {
    #expect(errorText { _ = try read(changes) } == "config.json: field \(text)")
  }
}
