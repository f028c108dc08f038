// `apo.load`, `apo.new_model` and the model object. Its methods are in ModelClass.swift, sampling
// in ModelClass+Generate.swift.

import Core
import Lua
import Models
import Tensors
import Text

/// A language model with its tokenizer and the files to save with it.
final class Model: LuaObject {
  static let luaName = "apo.Model"
  /// The weights and the adapter; another one when an adapter is added or merged.
  private(set) var transformer: Transformer
  /// The same without the adapter, sharing the weights.
  private var baseTransformer: Transformer?
  let tokenizer: TokenizerObject?
  private let ownCompanions: [String: [UInt8]]
  /// The folder it was read from.
  let path: String?

  init(
    _ transformer: Transformer, tokenizer: TokenizerObject?, companions: [String: [UInt8]],
    path: String? = nil
  ) {
    self.transformer = transformer
    self.tokenizer = tokenizer
    ownCompanions = companions
    self.path = path
  }

  /// Switches to another transformer with the same configuration.
  func become(_ transformer: Transformer) {
    self.transformer = transformer
    baseTransformer = nil
  }

  /// The transformer to compute with: with or without the adapter.
  func transformer(withAdapter: Bool) throws -> Transformer {
    guard !withAdapter, transformer.adapter != nil else { return transformer }
    let base = try baseTransformer ?? transformer.base()
    baseTransformer = base
    return base
  }

  /// The files to save with it, including a chat template set by a script.
  var companions: [String: [UInt8]] {
    guard let template = tokenizer?.chatTemplate else { return ownCompanions }
    return ownCompanions.merging(["chat_template.jinja": Array(template.utf8)]) { $1 }
  }

  /// The tokens that end a completion.
  var endTokens: [Int] {
    let own = transformer.configuration.eosIDs
    return own.isEmpty ? [tokenizer?.tokenizer.eosID].compactMap { $0 } : own
  }

  /// The tokenizer; throws if there is none.
  func requireTokenizer(for purpose: String) throws -> Tokenizer {
    try requireTokenizerObject(for: purpose).tokenizer
  }

  /// The tokenizer with its files; throws if there is none.
  func requireTokenizerObject(for purpose: String) throws -> TokenizerObject {
    if let tokenizer { return tokenizer }
    let place = path.map { " (there is no tokenizer.json in \($0))" } ?? ""
    throw LuaError("\(purpose) needs a tokenizer, and the model has none\(place)")
  }
}

/// The dtypes of a model's matrices.
let weightTypes = ValueType.choice(Transformer.weightTypes.map(\.rawValue))

/// The dtypes of keys and values.
let keyValueTypes = ValueType.choice(KVCache.types.map(\.rawValue))

private let modelResult = [Returned(.object(Model.self), "the model")]

/// `apo.load`.
let loadFunction = Function(
  "load", "Reads a model from a Hugging Face folder.",
  [
    Parameter("path", .string, "the folder: config.json, model.safetensors, tokenizer.json"),
    Parameter(
      "options",
      .options([
        Parameter(
          "dtype", weightTypes, "dtype of the matrices in memory; bfloat16 cannot be trained",
          default: "float32"),
        Parameter(
          "kv_cache_dtype", keyValueTypes, "dtype of keys and values",
          default: "float32"),
      ]), "see below", optional: true),
  ],
  returns: modelResult,
  details: """
    Families: GPT-2, Llama, Mistral, OLMo 2, Qwen2, Qwen3, SmolLM3. Weights become float32. With \
    `dtype = "bfloat16"` they are held in half the memory and computed with float32 sums: for a \
    reference policy, or for sampling. With `kv_cache_dtype = "bfloat16"` the KV cache takes half \
    the memory and is read faster; scoring and training round keys and values too, so results \
    agree everywhere. Clones keep this setting; folders do not store it. A folder without \
    tokenizer.json gives a model that works on token ids only.
    """,
  example: #"local policy = apo.load("models/arithmetic")"#
) { call in
  let path = try call.path()
  try ModelFolder.checkIsModel(path)
  let options = try call[2].options()
  let type = try ScalarType(rawValue: options["dtype"].string()) ?? .float32
  let keyValues = try ScalarType(rawValue: options["kv_cache_dtype"].string()) ?? .float32
  let transformer = try Transformer(folder: path, as: type, keyValues: keyValues)
  let companions = try ModelFolder.readCompanions(path)
  let tokenizer =
    companions["tokenizer.json"] == nil ? nil : try TokenizerObject(path: path)
  return try call.result(
    Model(transformer, tokenizer: tokenizer, companions: companions, path: path))
}

/// `apo.new_model`.
func newModelFunction(_ run: RunState) -> Function {
  Function(
    "new_model", "Makes a model with random weights.",
    [
      Parameter(
        "config", .table,
        "the keys of a config.json, and `tokenizer`: an apo.Tokenizer or a path; `seed`: an "
          + "integer; `kv_cache_dtype`: as for `load`"
      )
    ],
    returns: modelResult,
    details: """
      Weights are normal with standard deviation `initializer_range` (0.02), drawn from the run's
      seed or from `seed`. With a tokenizer, `vocab_size` and special token ids default to the
      tokenizer's.
      """,
    example: """
      local model = apo.new_model{
        model_type = "llama", hidden_size = 128, num_hidden_layers = 4, num_attention_heads = 4,
        intermediate_size = 352, tie_word_embeddings = true,
        tokenizer = apo.char_tokenizer{alphabet = "0123456789+="},
      }
      """
  ) { call in
    let tokenizer = try call[1].withField("tokenizer", tokenizer)
    let seed = try call[1].withField("seed") { argument -> UInt64? in
      guard !argument.isAbsent else { return nil }
      guard argument.kind == .number, let seed = try? argument.integer() else {
        throw LuaError("new_model: field 'seed' must be an integer, got \(argument.typeName)")
      }
      return UInt64(bitPattern: Int64(seed))
    }
    let keyValues = try call[1].withField("kv_cache_dtype", keyValueType)
    let configuration = try configuration(call[1].value(), tokenizer?.tokenizer)
    try Memory.check(bytes: configuration.parameterCount * 4, for: "new_model")
    let transformer = try Transformer.random(
      configuration, keyValues: keyValues, seed: seed ?? run.nextModelSeed())
    return try call.result(
      Model(transformer, tokenizer: tokenizer, companions: tokenizer?.files ?? [:]))
  }
}

private func tokenizer(_ argument: Argument) throws -> TokenizerObject? {
  switch argument.kind {
  case .none, .nil: return nil
  case .string:
    let path: String
    do { path = try argument.path() } catch {
      throw LuaError("new_model: field 'tokenizer': \(error)")
    }
    return try TokenizerObject(path: path)
  default:
    if let object = argument.ifObject(TokenizerObject.self) { return object }
    throw LuaError(
      "new_model: field 'tokenizer' must be an apo.Tokenizer or a path, got \(argument.typeName)")
  }
}

private func keyValueType(_ argument: Argument) throws -> ScalarType {
  if argument.isAbsent { return .float32 }
  let name = argument.kind == .string ? try argument.string() : nil
  if let type = name.flatMap(ScalarType.init), KVCache.types.contains(type) { return type }
  throw LuaError(
    "new_model: field 'kv_cache_dtype' must be one of 'float32', 'bfloat16', got "
      + (name.map { "'\($0)'" } ?? argument.typeName))
}

private func configuration(_ value: LuaValue, _ tokenizer: Tokenizer?) throws -> ModelConfiguration
{
  var table = value.asTable ?? LuaTable()
  table.fields.removeAll { ["tokenizer", "seed", "kv_cache_dtype"].contains($0.name) }
  func complete(_ name: String, _ value: LuaValue) {
    if table[name].isNil, !value.isNil { table.fields.append((name, value)) }
  }
  if let tokenizer {
    complete("vocab_size", .integer(tokenizer.vocabularySize))
    complete("eos_token_id", LuaValue(tokenizer.eosID))
    complete("bos_token_id", LuaValue(tokenizer.bosID))
    complete("pad_token_id", LuaValue(tokenizer.padID))
  }
  complete("architectures", architectures(table["model_type"].asString ?? ""))
  guard table.list.isEmpty else {
    throw LuaError("new_model: the keys of a config.json expected, got a list")
  }
  // Without keys, the Lua table would be a list.
  var json = try table.fields.isEmpty ? .object([]) : JSONEncoder().encode(.table(table))
  // For a missing id, Hugging Face would use that of the family's first model.
  for key in ["bos_token_id", "eos_token_id", "pad_token_id"] where json[key] == nil {
    json.set(key, .null)
  }
  let configuration = try ModelConfiguration(json, source: "new_model")
  if let tokenizer, configuration.vocabularySize < tokenizer.vocabularySize {
    throw LuaError(
      "new_model: vocab_size is \(configuration.vocabularySize) and the tokenizer has "
        + "\(tokenizer.vocabularySize) tokens")
  }
  return configuration
}

/// The class that Hugging Face's transformers loads the folder with.
private func architectures(_ type: String) -> LuaValue {
  ModelConfiguration.className(type).map { [.string($0)] } ?? .nil
}
