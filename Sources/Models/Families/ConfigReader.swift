import Core
import Text

// The fields of a config.json as a family reads them. What was read is remembered: what a family
// does not look at and would change its formula is refused (ConfigReader+Unread.swift).

/// Reads the fields of a config.json, with checks.
final class ConfigReader {
  let fields: JSONFields
  private var read: Set<String> = []

  init(_ fields: JSONFields) { self.fields = fields }

  /// Whether a family asked for a key.
  func wasRead(_ key: String) -> Bool { read.contains(key) }

  /// The fields, of which `key` is about to be read.
  private func reading(_ key: String) -> JSONFields {
    read.insert(key)
    return fields
  }

  /// Whether a file says `null`; a missing key counts as null everywhere else.
  func isNull(_ key: String) -> Bool { reading(key).value[key] == .null }

  /// Whether a file has a key.
  func has(_ key: String) -> Bool { reading(key)[key] != nil }

  /// True or false; false where the file does not say.
  func flag(_ key: String, default other: Bool = false) throws -> Bool {
    try reading(key).bool(key, default: other)
  }

  /// A string; `default` when missing.
  func string(_ key: String, default other: String) throws -> String {
    try reading(key).string(key, default: other)
  }

  /// An integer in a range; `default` when missing, an error when there is none.
  func integer(_ key: String, in range: ClosedRange<Int>, default other: Int? = nil) throws -> Int {
    try reading(key).integer(key, in: range, default: other)
  }

  /// A number above 0; `default` when missing, an error when there is none.
  func positive(_ key: String, default other: Double? = nil) throws -> Double {
    try reading(key).positive(key, default: other)
  }

  /// A list; nil when missing.
  func array(_ key: String) throws -> [JSON]? {
    reading(key)[key] == nil ? nil : try fields.array(key)
  }

  /// An error about a field.
  func error(_ key: String, _ reason: String) -> any Error { fields.error(key, reason) }
}

// Sizes, under the bounds that keep every sum of them countable.

extension ConfigReader {
  /// Rows of the embedding table.
  func vocabularySize() throws -> Int { try integer("vocab_size", in: 1...1 << 24) }

  /// The width of the residual stream.
  func hiddenSize(_ key: String) throws -> Int { try integer(key, in: 1...1 << 18) }

  /// The width of the feed-forward layers.
  func intermediateSize(_ key: String, default other: Int? = nil) throws -> Int {
    try integer(key, in: 1...1 << 20, default: other)
  }

  /// The number of blocks.
  func layerCount(_ key: String) throws -> Int { try integer(key, in: 1...4096) }

  /// The number of heads, or the width of one.
  func heads(_ key: String, default other: Int? = nil) throws -> Int {
    try integer(key, in: 1...1 << 14, default: other)
  }

  /// The longest context.
  func maxPositions(_ key: String, default other: Int) throws -> Int {
    try integer(key, in: 1...1 << 28, default: other)
  }

  /// One of the functions that a family knows under these names.
  func choice<Value>(_ key: String, _ known: [String: Value], default usual: String) throws -> Value
  {
    let name = try string(key, default: usual)
    guard let value = known[name.asName] else {
      let names = known.keys.sorted().joined(separator: ", ")
      throw error(key, "'\(name)' is not supported (supported: \(names))")
    }
    return value
  }

  /// The layers of `layer_types` that see a sliding window only; nil where the file names none.
  func windowedLayers(of layers: Int) throws -> [Bool]? {
    let key = "layer_types"
    guard let types = try array(key), !types.isEmpty else { return nil }
    guard types.count == layers else {
      throw error(key, "must name \(layers) layers, got \(types.count)")
    }
    return try types.map { type in
      guard type == .string("sliding_attention") || type == .string("full_attention") else {
        throw error(
          key,
          "\(type.excerpt) is not supported (supported: full_attention, sliding_attention)")
      }
      return type == .string("sliding_attention")
    }
  }
}

extension JSONFields {
  /// A number above 0; `default` when missing, an error when there is none.
  func positive(_ key: String, default other: Double? = nil) throws -> Double {
    let value = try number(key, default: other)
    guard value > 0, value < 1e12 else {
      throw error(key, "must be a positive number, got \(value)")
    }
    return value
  }
}
