// Markdown pages as programs, and a small folder for them to run in.

import Foundation
import Testing

/// The checkout that the tests were built from.
enum Checkout {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
  }

  /// The Markdown pages at the top and in docs/, as paths in the checkout.
  static let pages: [String] = ["", "docs/", "docs/algorithms/"].flatMap { place in
    let path = folder.appendingPathComponent(place).path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { $0.hasSuffix(".md") }.sorted().map { place + $0 }
  }
}

/// A Markdown page with code in it.
///
/// A block that opens with "```lua" runs, one that opens with "```lua norun" does not.
struct Page {
  /// A piece of Lua that runs, and the line it begins at.
  struct Block {
    let line: Int
    var text: String
  }

  /// The lines, those of code included.
  let lines: [Substring]
  private(set) var blocks: [Block] = []

  init(_ text: String) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var open: Block?
    for (index, line) in lines.enumerated() {
      if open == nil, line.trimmingCharacters(in: .whitespaces) == "```lua" {
        open = Block(line: index + 2, text: "")
      } else if line.trimmingCharacters(in: .whitespaces) == "```", let block = open {
        blocks.append(block)
        open = nil
      } else {
        open?.text += line + "\n"
      }
    }
  }

  /// All blocks as one script in which every line has the number that it has on the page.
  var script: String {
    var script = ""
    var line = 1
    for block in blocks {
      script += String(repeating: "\n", count: block.line - line) + block.text
      line = block.line + block.text.filter { $0 == "\n" }.count
    }
    return script
  }
}

/// A folder in which the pages' programs find what they name.
enum Lesson {
  /// The model of the examples and the first of its problems, as `examples/…`, and as
  /// `models/arithmetic` and `data/*.jsonl`.
  static func withFolder(train: Int = 24, test: Int = 8, _ body: (URL) throws -> Void) throws {
    try Binary.withFolder { folder in
      let files = FileManager.default
      for name in ["examples/data/arithmetic", "data"] {
        try files.createDirectory(
          at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
      }
      for name in ["examples/models", "models"] {
        try files.createSymbolicLink(
          at: folder.appendingPathComponent(name),
          withDestinationURL: Checkout.folder.appendingPathComponent("examples/models"))
      }
      for (name, count) in [("train", train), ("test", test)] {
        let all = try Checkout.text("examples/data/arithmetic/\(name).jsonl")
        let rows = all.split(separator: "\n").prefix(count).joined(separator: "\n") + "\n"
        for place in ["examples/data/arithmetic", "data"] {
          try rows.write(
            to: folder.appendingPathComponent("\(place)/\(name).jsonl"), atomically: true,
            encoding: .utf8)
        }
      }
      try body(folder)
    }
  }

  /// Runs a script in the folder; it must succeed.
  static func run(_ script: String, named name: String, in folder: URL) throws -> RunResult {
    let path = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
    try script.write(to: path, atomically: true, encoding: .utf8)
    let result = try Binary.run([name], in: folder)
    #expect(result.status == 0, "\(name): \(result.errors)")
    return result
  }
}
