import Foundation
import Testing

/// The scripts in `examples/`, run as a user would, in an empty folder.
enum Examples {
  /// The folder of the scripts.
  static let folder = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../../examples").standardized

  /// The scripts' names.
  static let names: [String] = {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return (names ?? []).filter { $0.hasSuffix(".lua") }.sorted()
  }()

  /// Runs one in a folder.
  static func run(
    _ name: String, _ arguments: [String] = [], in folder: URL, environment: [String: String] = [:]
  ) throws -> RunResult {
    let script = Self.folder.appendingPathComponent(name).path
    return try Binary.run([script] + arguments, environment: environment, in: folder)
  }

  /// Runs a copy in which texts were replaced, with the models and data that stay beside it; each
  /// text must be there.
  static func run(
    _ name: String, _ arguments: [String] = [], replacing changes: [(String, String)],
    in folder: URL
  ) throws -> RunResult {
    var text = try String(
      contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
    for (old, new) in changes {
      try #require(text.contains(old), "\(name) has no '\(old)' any more")
      text = text.replacingOccurrences(of: old, with: new)
    }
    try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    for part in ["models", "data", "compare"] {
      try FileManager.default.createSymbolicLink(
        at: folder.appendingPathComponent(part),
        withDestinationURL: Self.folder.appendingPathComponent(part))
    }
    return try Binary.run([name] + arguments, in: folder)
  }

  /// Runs one in an empty folder, and gives what it printed.
  static func output(_ name: String, _ arguments: [String] = []) throws -> RunResult {
    var result: RunResult?
    try Binary.withFolder { result = try run(name, arguments, in: $0) }
    return result ?? RunResult(status: -1, output: "", errors: "")
  }
}

extension String {
  /// The number after the first occurrence of a text, or nil.
  func number(after text: String) -> Double? {
    guard let start = range(of: text)?.upperBound else { return nil }
    let digits = self[start...].drop { $0 == " " }.prefix { "+-.0123456789e".contains($0) }
    return Double(digits.last == "." ? digits.dropLast() : digits)
  }
}
