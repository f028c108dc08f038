import Foundation
import TestSupport

extension FuzzReader {
  /// The names of all readers.
  public static let names = [
    "safetensors", "index", "model", "config", "tokenizer", "pattern", "jsonl", "csv", "values",
    "run", "checkpoint", "adapter", "template",
  ]

  /// The reader of a name, nil where there is none; it writes its inputs to a folder of its own.
  public static func named(_ name: String, in folder: FuzzFolder) throws -> FuzzReader? {
    switch name {
    case "safetensors": try safetensors(folder)
    case "index": try index(folder)
    case "model": try model(folder)
    case "config": try configuration()
    case "tokenizer": try tokenizer()
    case "pattern": pattern()
    case "jsonl": try rows(folder)
    case "csv": try table(folder)
    case "values": try values(folder)
    case "run": try run(folder)
    case "checkpoint": try checkpoint(folder)
    case "adapter": try adapter(folder)
    case "template": try template()
    default: nil
    }
  }

  /// Joins the files of an input.
  static func joined(_ files: some Sequence<[UInt8]>) -> [UInt8] {
    Array(files.joined(separator: [separator]))
  }
}

/// The bytes of a reference file's beginning; empty where the reference files are missing.
func fixture(_ name: String, upTo limit: Int = .max) -> [UInt8] {
  guard Fixtures.areThere, let file = try? contents(Fixtures.path(name)) else { return [] }
  return Array(file.prefix(limit))
}

/// The bytes of a file.
func contents(_ path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}
