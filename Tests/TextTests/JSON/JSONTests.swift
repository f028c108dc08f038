import Core
import Glibc
import TestSupport
import Testing

@testable import Text

@Suite struct JSONTests {
  @Test func keepsKindsOfNumbersApart() throws {
    let value = try JSON.parse("[1, 1.0, 1e0, true, -0, 9223372036854775807, 9223372036854775808]")
    #expect(
      value
        == .array([
          .integer(1), .double(1), .double(1), .bool(true), .integer(0), .integer(.max),
          .double(9_223_372_036_854_775_808),
        ]))
  }

  @Test func readsStrings() throws {
    let text = #" "a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude42é🙂" "#
    #expect(try JSON.parse(text) == .string("a\"\\/\u{8}\u{c}\n\r\t\u{e9}🙂é🙂"))
  }

  static let refusals: [(String, String)] = [
    ("", "line 1, column 1: the text ends where a value is expected"),
    ("{\"a\": 1,\n  b: 2}", "line 2, column 3: expected a key in double quotes, found 'b'"),
    ("[1 2]", "line 1, column 4: expected ',' or ']', found '2'"),
    ("{\"a\" 1}", "line 1, column 6: expected ':', found '1'"),
    ("[1,]", "line 1, column 4: expected a value, found ']'"),
    ("nul", "line 1, column 1: expected 'null'"),
    ("NaN", "line 1, column 1: expected a value, found 'N'"),
    ("01", "line 1, column 3: a number must not begin with a zero"),
    ("1.", "line 1, column 3: expected a digit, found the end of the text"),
    ("-", "line 1, column 2: expected a digit, found the end of the text"),
    ("1e999", "line 1, column 6: the number 1e999 is out of range"),
    ("\"a", "line 1, column 3: the text ends inside a string"),
    (#""\x""#, #"line 1, column 3: unknown escape \x"#),
    (#""\ud800""#, "line 1, column 8: a lone surrogate escape is not a character"),
    (#""\ud83d\ud83d""#, "line 1, column 14: a lone surrogate escape is not a character"),
    (#""\u12g4""#, #"line 1, column 4: \u needs four hexadecimal digits"#),
    ("\"\n\"", "line 1, column 2: a control character in a string must be written as an escape"),
    ("1 1", "line 1, column 3: text after the end of the value"),
    (String(repeating: "[", count: 600), "line 1, column 513: nested deeper than 512 levels"),
  ]

  @Test(arguments: refusals) func refuses(_ text: String, _ reason: String) {
    #expect(errorText { _ = try JSON.parse(text) } == "not valid JSON at \(reason)")
  }

  @Test func refusesInvalidUTF8() {
    let bytes: [UInt8] = [0x22, 0xC3, 0x22]
    let text = errorText { _ = try bytes.withUnsafeBytes { try JSON.parse($0, file: "a.json") } }
    #expect(text == "a.json: not valid JSON at line 1, column 4: a string is not valid UTF-8")
    #expect(errorText { _ = try JSON(utf8: [0xFF]) } != nil)
  }

  @Test func writesSortedAndExact() throws {
    let value = JSON.object([
      .init("b", .double(0.1)), .init("a", .array([.integer(1), .double(1), .null])),
      .init("c", .string("\u{1}\"\\\n")), .init("b", .double(1e-5)), .init("é", .object([])),
    ])
    let text = try value.text()
    #expect(text == #"{"a":[1,1.0,null],"b":1e-05,"c":"\u0001\"\\\n","é":{}}"#)
    #expect(try JSON.parse(text).text() == text)
    #expect(
      try JSON.object([.init("a", .array([.integer(1)]))]).text(pretty: true)
        == "{\n  \"a\": [\n    1\n  ]\n}")
  }

  @Test func doublesReadBackExactly() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let double = Double(bitPattern: generator.next())
      guard double.isFinite else { continue }
      #expect(try JSON.parse(JSON.double(double).text()) == .double(double))
    }
  }

  @Test func refusesToWriteWhatJSONCannotSay() {
    #expect(errorText { _ = try JSON.double(.nan).text() } == "nan cannot be written as JSON")
    #expect(
      errorText { _ = try JSON.double(-.infinity).text() } == "-inf cannot be written as JSON")
  }

  @Test func readsLines() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/rows.jsonl"
      try AtomicFile.write(path, "\u{FEFF}{\"a\": 1}\r\n\r\n  \n[2]\n\"x\"")
      let rows = try JSONLines.read(path)
      #expect(rows == [.object([.init("a", .integer(1))]), .array([.integer(2)]), .string("x")])
      try AtomicFile.write(path, "1\n\n{\"a\" 2}\n")
      let text = errorText { _ = try JSONLines.read(path) }
      #expect(text == "\(path): line 3, column 6: not valid JSON: expected ':', found '2'")
      try AtomicFile.write(path, "")
      #expect(try JSONLines.read(path) == [])
    }
  }

  @Test(.enabled(if: Fixtures.areThere, "\(Fixtures.missing)"))
  func rewritesGSM8K() throws {
    let rows = try JSONLines.read(Fixtures.path("data/gsm8k/train.jsonl"))
    #expect(rows.count == 7473)
    try withTemporaryFolder { folder in
      let text = try rows.map { try $0.text() + "\n" }.joined()
      try AtomicFile.write(folder + "/again.jsonl", text)
      let again = try JSONLines.read(folder + "/again.jsonl")
      #expect(again.count == rows.count)
      #expect(zip(again, rows).allSatisfy { $0["question"] == $1["question"] })
    }
  }

  @Test func missingFilesAreNamed() throws {
    let text = errorText { _ = try JSON.read("/nowhere/config.json") }
    #expect(text == "/nowhere/config.json: cannot be opened: No such file or directory")
    try withTemporaryFolder { folder in
      let pipe = folder + "/pipe"  // that nobody writes to
      try #require(mkfifo(pipe, 0o600) == 0)
      #expect(errorText { _ = try JSON.read(pipe) } == "\(pipe): is not a regular file but a pipe")
    }
    #expect(errorText { _ = try JSON.read("/tmp") } == "/tmp: is not a regular file but a folder")
  }
}
