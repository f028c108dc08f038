import Foundation
import TestSupport
import Testing

@testable import Models

/// Damaged files must be read or refused; a crash ends the test run.
@Suite(.enabled(if: Fixtures.areThere, "\(Fixtures.missing)"))
struct MutationTests {
  /// Replaces, inserts, removes, repeats or exchanges a few parts of some bytes.
  struct Mutator {
    var state: UInt64
    static let words = [
      "-1", "0", "1e999", "9223372036854775807", "18446744073709551615", "null", "true", "\"\"",
      "[]", "{}", "[[", "}", "\"", "\\", "\\ud800", ",", "4294967296", "0.5", "\u{e9}", "\u{0}",
    ].map { Array($0.utf8) }

    mutating func below(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % max(1, bound)
    }

    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
      var bytes = bytes
      for _ in 0...below(3) {
        let start = below(bytes.count)
        let end = min(bytes.count, start + below(12))
        switch below(6) {
        case 0: bytes[start] = UInt8(below(256))
        case 1: bytes.removeSubrange(start..<end)
        case 2: bytes.insert(contentsOf: Self.words[below(Self.words.count)], at: start)
        case 3: bytes.replaceSubrange(start..<end, with: Self.words[below(Self.words.count)])
        case 4: bytes.insert(contentsOf: bytes[start..<end], at: below(bytes.count))
        default: replaceNumber(&bytes)
        }
        if bytes.isEmpty { bytes = [0x20] }
      }
      return bytes
    }

    private mutating func replaceNumber(_ bytes: inout [UInt8]) {
      let isDigit = { (byte: UInt8) in (48...57).contains(byte) }
      let from = below(bytes.count)
      guard let start = bytes[from...].firstIndex(where: isDigit) else { return }
      let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.endIndex
      bytes.replaceSubrange(start..<end, with: Self.words[below(5)])
    }
  }

  /// Calls `read` with many damaged copies of a file's bytes; returns how many were refused.
  func damage(
    _ path: String, times: Int, within: Int = .max, _ read: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    let original = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let head = Array(original.prefix(within))
    var mutator = Mutator(state: 20_261_122)
    var refused = 0
    for _ in 0..<times {
      let bytes = mutator.mutate(head) + original[head.count...]
      if errorText({ try bytes.withUnsafeBytes { try read($0) } }) != nil { refused += 1 }
    }
    return refused
  }

  @Test func safetensorsHeaders() throws {
    let refused = try damage(SafetensorsTests.python, times: 3000, within: 860) {
      _ = try SafetensorsHeader($0, file: "x")
    }
    #expect(refused > 1500)
  }

  @Test func safetensorsFiles() throws {
    try withTemporaryFolder { folder in
      let copy = folder + "/copy"
      _ = try damage(SafetensorsTests.python, times: 300, within: 860) {
        try Data($0).write(to: URL(fileURLWithPath: copy))
        let file = try Safetensors(file: copy)
        for name in file.names where (try? file.read(name)) == nil { _ = try file.integers(name) }
      }
    }
  }

  @Test(arguments: ["tiny-qwen2-tied", "tiny-llama-rope3", "tiny-mistral-swa", "tiny-gpt2"])
  func configurations(name: String) throws {
    let path = Fixtures.path("models/\(name)/config.json")
    let refused = try damage(path, times: 3000) {
      let configuration = try ModelConfiguration(JSON.parse($0), source: path)
      _ = configuration.ropeScaling.frequencies(
        size: configuration.headSize, theta: configuration.ropeTheta)
      _ = try configuration.json(dataType: "float32").text(pretty: true)
    }
    #expect(refused > 1000)
  }

  @Test(arguments: ["tiny-qwen2-tied", "tiny-llama-mha"])
  func tokenizers(_ name: String) throws {
    let path = Fixtures.path("models/\(name)/tokenizer.json")
    // Half of the damage goes to the components, which come before the vocabulary.
    for within in [2500, Int.max] {
      let refused = try damage(path, times: 600, within: within) {
        let tokenizer = try Tokenizer(JSONFields(JSON.parse($0), file: path), names: nil)
        let ids = try tokenizer.encode("Hello <|im_end|> wörld\n 12345 日本 !?  <s> x")
        _ = try tokenizer.decode(ids, ignoringUnknown: true)
        _ = try tokenizer.decode(Array(0..<400), ignoringUnknown: true)
      }
      #expect(refused > 300)
    }
  }
}
