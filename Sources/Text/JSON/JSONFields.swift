// Typed access to the members of a JSON object, with errors that name the file and the field's
// path.

import Core

/// An object of a JSON file whose fields are read with checks.
public struct JSONFields: Sendable {
  /// The file for error texts.
  public let file: String
  /// The object's path in the file, empty for the outermost.
  public let path: String
  /// The object.
  public let value: JSON
  private let members: [String: JSON]

  /// Reads an object; throws if the value is not an object.
  public init(_ value: JSON, file: String, path: String = "") throws {
    guard case .object(let list) = value else {
      let place = path.isEmpty ? "the file" : "field '\(path)'"
      throw FileError(file, "\(place) must be an object, got \(value.excerpt)")
    }
    (self.file, self.path, self.value) = (file, path, value)
    if let long = list.first(where: { $0.key.utf8.count > String.longestName }) {
      let start = String(decoding: long.key.utf8.prefix(20), as: UTF8.self) + "…"
      throw FileError(
        file,
        "field '\(path.isEmpty ? start : path)': a name of \(long.key.utf8.count) bytes; "
          + "at most \(String.longestName) expected")
    }
    members = Dictionary(list.map { ($0.key, $0.value) }) { _, last in last }
  }

  /// Reads a file that holds one object.
  public init(file: String) throws {
    try self.init(JSON.read(file), file: file)
  }

  /// The value of a field; `null` counts as missing.
  public subscript(key: String) -> JSON? {
    if let value = members[key], value != .null { return value }
    return nil
  }

  /// An error about a field of this object.
  public func error(_ key: String, _ reason: String) -> FileError {
    FileError(file, "field '\(name(key))' \(reason)")
  }

  /// A string; `default` when missing, an error when there is none.
  public func string(_ key: String, default other: String? = nil) throws -> String {
    try read(key, "a string", other) { if case .string(let text) = $0 { text } else { nil } }
  }

  /// A Boolean; `default` when missing, an error when there is none.
  public func bool(_ key: String, default other: Bool? = nil) throws -> Bool {
    try read(key, "true or false", other) { if case .bool(let flag) = $0 { flag } else { nil } }
  }

  /// An integer in a range; `default` when missing, an error when there is none.
  public func integer(
    _ key: String, in range: ClosedRange<Int>, default other: Int? = nil
  ) throws -> Int {
    let kind = range.lowerBound == 1 ? "a positive integer" : "an integer"
    let bounds = "\(kind) from \(range.lowerBound) to \(range.upperBound)"
    let value = try read(key, kind, other) {
      // Some writers print a count as 2048.0.
      if case .double(let number) = $0 { return Int(exactly: number) }
      if case .integer(let number) = $0 { return number }
      return nil
    }
    guard range.contains(value) else {
      throw error(
        key, "must be \(value < 1 && range.lowerBound == 1 ? kind : bounds), got \(value)")
    }
    return value
  }

  /// A finite number; `default` when missing, an error when there is none.
  public func number(_ key: String, default other: Double? = nil) throws -> Double {
    try read(key, "a number", other) {
      switch $0 {
      case .double(let number): number
      case .integer(let number): Double(number)
      default: nil
      }
    }
  }

  /// A list; `default` when missing, an error when there is none.
  public func array(_ key: String, default other: [JSON]? = nil) throws -> [JSON] {
    try read(key, "a list", other) { if case .array(let list) = $0 { list } else { nil } }
  }

  /// An object, or nil when the field is missing or null.
  public func object(_ key: String) throws -> JSONFields? {
    try self[key].map { try JSONFields($0, file: file, path: name(key)) }
  }

  /// The objects of a list; empty when the field is missing or null.
  public func objects(_ key: String) throws -> [JSONFields] {
    try array(key, default: []).enumerated().map {
      try JSONFields($1, file: file, path: "\(name(key))[\($0)]")
    }
  }

  private func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private func read<Value>(
    _ key: String, _ kind: String, _ other: Value?, _ convert: (JSON) -> Value?
  ) throws -> Value {
    guard let value = self[key] else {
      guard let other else { throw error(key, "is missing; it must be \(kind)") }
      return other
    }
    guard let result = convert(value) else {
      throw error(key, "must be \(kind), got \(value.excerpt)")
    }
    return result
  }
}
