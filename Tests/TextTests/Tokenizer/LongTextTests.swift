// What texts of any kind and length cost: canonical order of marks, tokens with one beginning, and
// how often the loops ask whether the user wants to stop.

import Core
import Foundation
@_spi(_Unicode) import Swift
import TestSupport
import Testing

@testable import Text

@Suite("Long texts")
struct LongTextTests {
  /// Marks of seven classes, some that decompose, and starters that compose with marks.
  private static let marks: [Unicode.Scalar] = [
    "\u{301}", "\u{323}", "\u{327}", "\u{345}", "\u{344}", "\u{5B0}", "\u{3099}",
    "\u{302}",
  ]
  private static let starters: [Unicode.Scalar] = [
    "a", "e", "ệ", "\u{F40}", "漢", "か", "\u{9C7}", "\u{1100}",
  ]

  @Test(
    "Runs of marks are ordered as the standard library orders them",
    arguments: [UnicodeForm.composed, .decomposed])
  func canonicalOrder(_ form: UnicodeForm) throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<400 {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        if let starter = Self.starters.randomElement(using: &random) { text.append(starter) }
        for _ in 0..<Int.random(in: 0...60, using: &random) {
          if let mark = Self.marks.randomElement(using: &random) { text.append(mark) }
        }
      }
      let string = String(text)
      let right = form == .composed ? Array(string._nfc) : Array(string._nfd)
      let ours = String(decoding: try form.apply(Array(string.utf8)), as: UTF8.self).unicodeScalars
      #expect(ours.elementsEqual(right), "\(text.map { String($0.value, radix: 16) })")
    }
  }

  /// A text, its NFC and its NFD by Python 3.11's unicodedata. The standard library takes U+0F73
  /// and its like for the end of a run.
  private static let ofPython = [
    "1EC7 F73 302 5B0 301 F81 345 302 301 | 1EC7 5B0 F71 F71 F72 F80 302 301 302 301 345 | 65 5B0 F71 F71 F72 F80 323 302 302 301 302 301 345",
    "1EC7 F81 | 1EC7 F71 F80 | 65 F71 F80 323 302",
    "304B 323 3099 345 301 345 61 F73 | 304C 323 301 345 345 61 F71 F72 | 304B 3099 323 301 345 345 61 F71 F72",
    "65 F75 327 323 | 229 F71 F74 323 | 65 F71 F74 327 323",
    "304B F81 327 327 301 301 345 345 327 | 304B F71 F80 327 327 327 301 301 345 345 | 304B F71 F80 327 327 327 301 301 345 345",
    "1EC7 345 5B0 302 F73 | 1EC7 5B0 F71 F72 302 345 | 65 5B0 F71 F72 323 302 302 345",
    "65 345 F75 61 F73 | 65 F71 F74 345 61 F71 F72 | 65 F71 F74 345 61 F71 F72",
    "1EC7 F75 | 1EC7 F71 F74 | 65 F71 F74 323 302",
    "1EC7 323 F73 61 F73 | 1EC7 F71 F72 323 61 F71 F72 | 65 F71 F72 323 323 302 61 F71 F72",
    "304B 301 3099 302 F73 323 344 F73 344 61 F73 | 304C F71 F71 F72 F72 323 301 302 308 301 308 301 61 F71 F72 | 304B 3099 F71 F71 F72 F72 323 301 302 308 301 308 301 61 F71 F72",
    "1EC7 327 F81 F81 327 301 344 301 F73 F75 301 5B0 F75 F73 F75 3099 301 F81 301 327 3099 345 323 345 F81 61 F73 | 229 3099 3099 5B0 F71 F71 F71 F71 F71 F71 F71 F71 F71 F80 F80 F72 F72 F80 F80 F74 F74 F74 327 327 323 323 302 301 308 301 301 301 301 301 345 345 61 F71 F72 | 65 3099 3099 5B0 F71 F71 F71 F71 F71 F71 F71 F71 F71 F80 F80 F72 F72 F80 F80 F74 F74 F74 327 327 327 323 323 302 301 308 301 301 301 301 301 345 345 61 F71 F72",
    "1EC7 5B0 344 F81 323 3099 F73 344 301 61 F73 | 1EC7 3099 5B0 F71 F71 F80 F72 323 308 301 308 301 301 61 F71 F72 | 65 3099 5B0 F71 F71 F80 F72 323 323 302 308 301 308 301 301 61 F71 F72",
    "65 F73 F73 | 65 F71 F71 F72 F72 | 65 F71 F71 F72 F72",
    "1EC7 327 F73 344 5B0 323 344 302 F73 61 F73 | 229 5B0 F71 F71 F72 F72 323 323 302 308 301 308 301 302 61 F71 F72 | 65 5B0 F71 F71 F72 F72 327 323 323 302 308 301 308 301 302 61 F71 F72",
  ]

  @Test("Marks that are made of marks are among those that are ordered", arguments: ofPython)
  func python(_ line: String) throws {
    let parts = line.split(separator: "|").map { part in
      String(
        String.UnicodeScalarView(
          part.split(separator: " ").compactMap { UInt32($0, radix: 16) }.compactMap {
            Unicode.Scalar($0)
          }))
    }
    #expect(try UnicodeForm.composed.apply(Array(parts[0].utf8)) == Array(parts[1].utf8))
    #expect(try UnicodeForm.decomposed.apply(Array(parts[0].utf8)) == Array(parts[2].utf8))
  }

  /// Ordered by insertion these would take 10^11 steps.
  @Test func aMillionMarks() throws {
    let text = "a" + String(repeating: "\u{301}\u{323}\u{F73}", count: 300_000)
    let decomposed = try UnicodeForm.decomposed.apply(Array(text.utf8))
    let scalars = String(decoding: decomposed, as: UTF8.self).unicodeScalars
    let classes = scalars.map { $0.properties.canonicalCombiningClass.rawValue }
    #expect(classes == classes.sorted())
    #expect(scalars.count == 1_200_001)
  }

  /// As `==` and hashes of Swift's compare them, each look-up would take 10^11 steps.
  @Test func keysOfAMillionMarks() throws {
    let key = "x" + String(repeating: "\u{301}\u{323}\u{345}", count: 300_000)
    var value = JSON.object([.init(key, .integer(1)), .init("a", .integer(2))])
    #expect(value[key] == .integer(1))
    #expect(value["a"] == .integer(2))
    #expect(value[key + "y"] == nil)
    value.set(key, .integer(3))
    value.set(key + "y", .integer(4))
    let text = try value.text(first: [key + "y", "b"])
    #expect(text.utf8.starts(with: "{\"\(key)y\":4,\"a\":2,\"x".utf8))
    #expect(try JSON.parse(text)[key + "y"] == .integer(4))
    let error = errorText { _ = try JSONFields(value, file: "f.json", path: "a") }
    #expect(error == "f.json: field 'a': a name of 1800001 bytes; at most 1024 expected")
  }

  /// Letters that only look alike are other keys, as in Lua and Python.
  @Test func keysAreBytes() throws {
    let value = JSON.object([.init("\u{E9}", .integer(1)), .init("e\u{301}", .integer(2))])
    #expect(value["e\u{301}"] == .integer(2))
    #expect(value["\u{E9}"] == .integer(1))
    #expect(try value.text() == "{\"e\u{301}\":2,\"\u{E9}\":1}")
  }

  @Test func theLongestAddedTokenIsFound() throws {
    for seed in 0..<200 {
      var random = Philox(seed: UInt64(seed))
      let contents = Set(
        (0..<random.below(30) + 1).map { _ in
          (0..<random.below(6) + 1).map { _ in UInt8(97 + random.below(2)) }
        })
      let tokens = try contents.enumerated().map { try Self.token($1, id: $0) }
      let text = (0..<60).map { _ in UInt8(97 + random.below(3)) }
      var found: [String] = []
      try text.withUnsafeBufferPointer { text in
        try AddedTokenFinder(tokens).split(text) {
          found.append("-" + String(decoding: text[$0], as: UTF8.self))
        } token: {
          found.append("+" + String(decoding: $0.content, as: UTF8.self))
        }
      }
      #expect(found == Self.split(text, contents))
    }
  }

  private static func token(_ content: [UInt8], id: Int) throws -> AddedToken {
    let text = String(decoding: content, as: UTF8.self)
    return try AddedToken(
      JSONFields(
        .object([.init("id", .integer(id)), .init("content", .string(text))]), file: "test"))
  }

  /// The same, all tokens tried at each place.
  private static func split(_ text: [UInt8], _ contents: Set<[UInt8]>) -> [String] {
    var (result, position, start) = ([String](), 0, 0)
    func flush() {
      if start < position {
        result.append("-" + String(decoding: text[start..<position], as: UTF8.self))
      }
    }
    while position < text.count {
      let here = contents.filter { text[position...].starts(with: $0) }.max { $0.count < $1.count }
      guard let here else {
        position += 1
        continue
      }
      flush()
      result.append("+" + String(decoding: here, as: UTF8.self))
      position += here.count
      start = position
    }
    flush()
    return result
  }
}

/// Small random numbers that a seed determines.
private struct Philox {
  var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func below(_ count: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(count))
  }
}

@Suite("Loops over texts ask whether to stop", .serialized)
struct TextInterruptTests {
  private static let length = 1 << 20
  /// A question for each so many bytes, whichever loop goes over them.
  private static let least = length / Interrupt.interval / 2

  private func text(_ piece: String) -> [UInt8] {
    Array(String(repeating: piece, count: Self.length / piece.utf8.count).utf8)
  }

  @Test(
    "Normalizers",
    arguments: [
      "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "ByteLevel", "Nmt",
      "BertNormalizer",
    ])
  func normalizers(_ type: String) throws {
    let normalizer = try Normalizer(
      JSONFields(.object([.init("type", .string(type))]), file: "test"))
    // NFC leaves é alone without looking at it.
    for piece in [type == "NFC" ? "か" : "é", "漢", "\u{301}\u{323}"] {
      var text = Normalizer.Text(bytes: text(piece), budget: PatternBudget(bytes: Self.length))
      let polls = try Polls.during { try normalizer.apply(&text) }
      #expect(polls >= Self.least, "\(type), \(piece)")
    }
  }

  @Test(
    "Pre-tokenizers",
    arguments: [
      "ByteLevel", "Digits", "Whitespace", "WhitespaceSplit", "Punctuation", "BertPreTokenizer",
      "FixedLength",
    ])
  func preTokenizers(_ type: String) throws {
    let step = try PreTokenizer(JSONFields(.object([.init("type", .string(type))]), file: "test"))
    for piece in ["a", "1", "a ", "漢"] {
      var pieces = Pieces(text(piece), isAtStart: true, budget: PatternBudget(bytes: Self.length))
      let polls = try Polls.during { try step.apply(&pieces) }
      #expect(polls >= Self.least / 4, "\(type), \(piece)")
    }
  }

  @Test(.enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
  func encodingAndDecoding() throws {
    let tokenizer = try Tokenizer(file: Fixtures.path("tokenizers/qwen2.5/tokenizer.json"))
    for piece in ["1", "a", "a ", "é", " "] {
      var ids: [Int] = []
      #expect(try Polls.during { ids = try tokenizer.encode(utf8: text(piece)) } >= Self.least)
      for limit in [0, 5] {
        #expect(throws: Interrupted.byUser) {
          _ = try Polls.during(limit: limit) { _ = try tokenizer.encode(utf8: text(piece)) }
        }
      }
      #expect(try tokenizer.decode(ids).utf8.elementsEqual(text(piece)))
    }
    let ids = [Int](repeating: 16, count: Self.length)
    #expect(try Polls.during { _ = try tokenizer.decode(ids) } >= Self.least)
  }

  @Test(arguments: [#""a\n","#, "1,", #"{"a":1},"#, " ,1,"])
  func json(_ piece: String) throws {
    let list = String(repeating: piece, count: Self.length / piece.utf8.count)
    let text = "[" + list.replacing(" ,", with: " ") + "0]"
    var value = JSON.null
    #expect(try Polls.during { value = try JSON.parse(text) } >= Self.least)
    #expect(throws: Interrupted.byUser) {
      _ = try Polls.during(limit: 2) { _ = try JSON.parse(text) }
    }
    let string = JSON.string(String(repeating: "é\n", count: Self.length / 3))
    #expect(try Polls.during { _ = try string.text() } >= Self.least)
    _ = value
  }
}
