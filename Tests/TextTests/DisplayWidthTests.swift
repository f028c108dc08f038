import Foundation
import Testing

@testable import Text

@Suite("Display width")
struct DisplayWidthTests {
  @Test(
    "Texts of several scripts",
    arguments: [
      ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本語", 6), ("ｱ", 1), ("Ａ", 2), ("한글", 4),
      ("\u{1112}\u{1161}\u{11AB}", 2), ("🙂", 2), ("👍🏽", 4), ("🇩🇪", 2), ("नमस्ते", 4), ("ไทย", 3),
      ("กำ", 2),
      ("שָׁלוֹם", 4), ("a\u{200D}b", 2), ("⭐", 2), ("★", 1), ("…", 1), ("━", 1), ("±", 1),
    ])
  func texts(text: String, columns: Int) {
    #expect(displayWidth(text) == columns, "\(text)")
  }

  @Test("An excerpt fits, keeps marks with their letters, and is the text where that fits")
  func excerpts() {
    let texts = ["abcdef", "日本語日本語", "e\u{301}e\u{301}e\u{301}e\u{301}", "🙂a🙂", "", "a"]
    for text in texts {
      for columns in 0..<16 {
        let cut = excerpt(text, columns: columns)
        #expect(displayWidth(cut) <= columns)
        if displayWidth(text) <= columns { #expect(cut == text) }
        if columns > 0, displayWidth(text) > columns { #expect(cut.hasSuffix("…")) }
      }
    }
    #expect(excerpt("日本語", columns: 5) == "日本…")
    #expect(excerpt("日本語", columns: 4) == "日…")
    #expect(
      excerpt("e\u{301}e\u{301}e\u{301}", columns: 2).unicodeScalars.elementsEqual(
        "e\u{301}…".unicodeScalars))
  }

  #if canImport(Glibc)
    /// glibc counts the characters that its own version of Unicode knows.
    @Test("The same as wcwidth of the system's library")
    func systemWidths() throws {
      guard let locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil) else {
        return print("skipped: the locale C.UTF-8 is missing")
      }
      let before = uselocale(locale)
      defer {
        uselocale(before)
        freelocale(locale)
      }
      let symbol = try #require(dlsym(nil, "wcwidth"))
      let wcwidth = unsafeBitCast(symbol, to: (@convention(c) (wchar_t) -> Int32).self)
      var (count, others) = (0, [UInt32]())
      for value in UInt32(0xA0)..<0x40000 {
        guard let scalar = Unicode.Scalar(value) else { continue }
        let width = wcwidth(wchar_t(value))
        guard width >= 0 else { continue }
        count += 1
        // Wide since Unicode 16.
        let isNew = [0x2630...0x2637, 0x268A...0x268F, 0x1D300...0x1D376].contains { $0 ~= value }
        if !isNew, Int(width) != scalar.displayWidth { others.append(value) }
      }
      #expect(count > 140_000)
      let list = others.map { String($0, radix: 16) }.joined(separator: " ")
      #expect(others.count < 10, "\(list)")
    }
  #endif
}
