// Which settings of an adapter_config.json can be computed, and readers of single fields.

import Text

extension LoRAConfiguration {
  /// Keys that change nothing here: notes, and settings of training or of features that other keys
  /// switch on.
  private static let ignored: Set = [
    "alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "fan_in_fan_out",
    "inference_mode", "init_lora_weights", "lora_alpha", "lora_dropout", "megatron_core",
    "peft_type", "peft_version", "qalora_group_size", "r", "rank_pattern", "revision",
    "target_modules", "task_type", "use_rslora",
  ]

  /// Throws at the first setting that is not implemented, and at unknown keys unless they are off:
  /// null, false or empty.
  static func checkSupport(_ fields: JSONFields) throws {
    try require(fields, "peft_type", ["LORA"])
    try require(fields, "task_type", ["CAUSAL_LM"])
    try require(fields, "bias", ["none"])
    // Other initialisations change the base weights, which the adapter's files do not hold.
    if let start = fields["init_lora_weights"],
      ![.bool(true), .bool(false), .string("gaussian"), .string("orthogonal")].contains(start)
    {
      throw fields.error(
        "init_lora_weights",
        "\(start.excerpt) is not supported (supported: true, false, \"gaussian\", \"orthogonal\")")
    }
    guard case .object(let members) = fields.value else { return }
    for key in members.map(\.key) where !ignored.contains(key) {
      guard let value = fields[key], !isOff(value) else { continue }
      throw fields.error(key, "\(value.excerpt) is not supported")
    }
  }

  private static func require(_ fields: JSONFields, _ key: String, _ known: [String]) throws {
    let value = try fields.string(key, default: known[0])
    guard known.contains(value) else {
      throw fields.error(
        key, "'\(value)' is not supported (supported: \(known.joined(separator: ", ")))")
    }
  }

  private static func isOff(_ value: JSON) -> Bool {
    [.null, .bool(false), .string(""), .array([]), .object([])].contains(value)
  }

  static func alpha(_ fields: JSONFields, _ key: String, default other: Double? = nil) throws
    -> Double
  {
    try fields.positive(key, default: other)
  }

  /// The names of the targets, nil for all; where the file does not say, PEFT's choice for the
  /// family.
  static func targets(
    _ fields: JSONFields, _ architecture: Architecture
  ) throws -> [String]? {
    let key = "target_modules"
    switch fields[key] {
    case nil: return architecture.names.adapterTargets
    case .string(let text) where text.lowercased() == "all-linear": return nil
    case .array(let list)? where !list.isEmpty:
      return try list.map {
        guard case .string(let name) = $0 else {
          throw fields.error(key, "must be a list of names, got \($0.excerpt)")
        }
        return name
      }
    case let value?:
      throw fields.error(
        key,
        "must be a list of names or \"all-linear\", got \(value.excerpt)"
          + " (regular expressions are not supported)")
    }
  }

  /// The members of an object of names and numbers, in their order.
  static func pattern<Value>(
    _ fields: JSONFields, _ key: String, _ read: (JSONFields, String) throws -> Value
  ) throws -> [(name: String, Value)] {
    guard let inner = try fields.object(key), case .object(let members) = inner.value else {
      return []
    }
    return try members.map(\.key).map { name in
      guard name.utf8.allSatisfy(isNameByte) else {
        throw fields.error(
          key, "has the key '\(name)'; regular expressions are not supported, use the end of a name"
        )
      }
      return (name, try read(inner, name))
    }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
