// `model:save`: formats and sizes of the files.

import Lua
import Models

/// `model:save`.
let saveModelMethod = Function(
  "save", "Writes a Hugging Face folder.",
  [
    Parameter("path", .string, "the folder, created if missing"),
    Parameter(
      "options",
      .options([
        Parameter(
          "dtype", .choice(savedTypes.map(\.name)),
          "dtype of the saved weights; default: as in memory", optional: true),
        Parameter(
          "max_shard_size", .oneOf([.integer(minimum: 1), .string]),
          "maximum bytes of weights per file, as a number or as \"5GB\", \"500MB\", \"2GiB\"",
          default: "50GB"),
      ]), "see below", optional: true),
  ],
  details: """
    Weights that do not fit into one file become `model-00001-of-00003.safetensors`, …, and an
    index. All files are written next to the old ones before any is replaced: a crash leaves the
    old model, the new one or, briefly, a folder without config.json, which does not load. An
    adapter is merged into the written weights, so the folder is equivalent up to rounding;
    `save_adapter` writes only the adapter.
    """,
  example: #"policy:save("runs/final", {dtype = "bfloat16", max_shard_size = "5GB"})"#
) { call in
  let model = try call.this(Model.self)
  let options = try call[2].options()
  try checkFormat(call.path(), writes: [], what: "save: a folder")
  let name = try options["dtype"].ifPresent?.string()
  try model.transformer.save(
    folder: call.path(), companions: model.companions,
    type: savedTypes.first { $0.name == name }?.type,
    maxShardSize: shardSize(options["max_shard_size"]))
  return call.nothing
}

private let savedTypes: [(name: String, type: SafetensorsType)] = [
  ("float32", .float32), ("bfloat16", .bfloat16), ("float16", .float16),
]

/// Bytes from a number, or from a size as Hugging Face writes it: "5GB" is 5 · 10⁹, "5GiB" 5 · 2³⁰.
private func shardSize(_ argument: Argument) throws -> Int {
  if argument.kind == .number { return try argument.integer() }
  let text = try argument.isAbsent ? "50GB" : argument.string()
  let units = [
    ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("KIB", 1 << 10), ("MIB", 1 << 20),
    ("GIB", 1 << 30),
  ]
  for (unit, factor) in units where text.uppercased().hasSuffix(unit) {
    guard let count = Int(text.dropLast(unit.count)), count > 0, count < 1 << 30 else { break }
    return count * factor
  }
  throw LuaError(
    "save: option 'max_shard_size' must be a size as \"5GB\", \"500MB\" or \"2GiB\", got "
      + "\"\(text)\"")
}
