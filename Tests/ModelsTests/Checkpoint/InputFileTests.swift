import Core
import Foundation
import TestSupport
import Testing
import Text

@testable import Models
@testable import Tensors

/// Files that others shorten while they are read: an error, where a mapped file would end the
/// process.
@Suite struct InputFileTests {
  private func errorOfShortened(_ path: String, to size: Int, _ body: () throws -> Void) -> String?
  {
    #expect(truncate(path, size) == 0)
    return errorText(body)
  }

  @Test func lines() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/rows.jsonl"
      let row = #"{"a":"\#(String(repeating: "x", count: 1000))"}"# + "\n"
      try AtomicFile.write(path, String(repeating: row, count: 300))
      let reader = try JSONLinesReader(path)
      _ = try reader.next()
      let text = errorOfShortened(path, to: 2000) { while try reader.next() != nil {} }
      #expect(
        text
          == "\(path): was shortened while it was read: it had \(300 * row.utf8.count) bytes, now "
          + "it ends before 131072")
    }
  }

  @Test func linesOfAnyLength() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/rows.jsonl"
      for lengths in [
        [], [0], [65_533], [65_534], [65_535], [300_000], [1, 200_000, 0, 0, 65_533, 7],
      ] {
        for ending in ["\n", "\r\n", "\n\n"] {
          let rows = lengths.map { "\"" + String(repeating: "x", count: $0) + "\"" }
          for end in ["", ending] {
            try AtomicFile.write(path, rows.joined(separator: ending) + end)
            let read = try JSONLines.read(path)
            #expect(read == lengths.map { .string(String(repeating: "x", count: $0)) })
          }
        }
      }
      // What is appended after the opening is not read.
      try AtomicFile.write(path, "1\n")
      let reader = try JSONLinesReader(path)
      try AppendedFile.append("2\n".utf8, to: path)
      #expect(try reader.next() == .integer(1))
      #expect(try reader.next() == nil)
    }
  }

  @Test(arguments: Safetensors.writtenTypes)
  func weights(type: SafetensorsType) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      let values = (0..<3_000_000).map { Float($0 % 100) }
      try Safetensors.write(arrays: [("w", [1500, 2000], values)], to: path, type: type)
      let file = try Safetensors(file: path)
      #expect(try file.read("w") == values)
      #expect(try file.areEqual("w", "w"))
      for size in [10, 1_000_000] {
        let text = errorOfShortened(path, to: size) { _ = try file.read("w") }
        #expect(text?.hasPrefix("\(path): was shortened while it was read: it had ") == true)
        #expect(errorText { _ = try file.areEqual("w", "w") } != nil)
        #expect(errorText { _ = try file.matrix("w", [1500, 2000], isTransposed: false) } != nil)
      }
    }
  }
}
