import Models
import Tensors
import Testing

/// Looks at every end of the text in turn: where the first stop text that is complete begins.
private func naiveCut(_ text: [UInt8], _ stops: [[UInt8]]) -> Int? {
  for end in 1...max(1, text.count) {
    let longest = stops.filter { text.prefix(end).suffix($0.count) == $0[...] }.map(\.count).max()
    if let longest { return end - longest }
  }
  return nil
}

@Suite struct StopStringsTests {
  @Test func equalsTheNaiveSearchHoweverTheBytesAreSplit() {
    var random = RandomStream(seed: 9)
    var found = 0
    for _ in 0..<3000 {
      func text(_ lengths: ClosedRange<Int>) -> String {
        String(
          (0..<Int.random(in: lengths, using: &random)).map { _ in
            "aab\u{e9}".randomElement(using: &random) ?? "a"
          })
      }
      let stops = (0..<Int.random(in: 1...3, using: &random)).map { _ in text(1...5) }
      let bytes = Array(text(0...25).utf8)
      let expected = naiveCut(bytes, stops.map { Array($0.utf8) })
      let matcher = StopStrings(stops)
      var search = matcher.search()
      var rest = bytes[...]
      var cut: Int?
      while !rest.isEmpty, cut == nil {
        let size = Int.random(in: 0...min(4, rest.count), using: &random)
        cut = matcher.feed(rest.prefix(size), &search)
        rest = rest.dropFirst(size)
      }
      #expect(cut == expected, "\(stops) in \(bytes)")
      #expect(search.cut == expected)
      found += expected == nil ? 0 : 1
    }
    #expect(found > 1000 && found < 2900)
  }

  @Test func cutsBeforeTheStopText() {
    let matcher = StopStrings(["\n\n", "Question:"])
    var search = matcher.search()
    #expect(matcher.feed("7\nQues".utf8, &search) == nil)
    var other = search
    #expect(matcher.feed("tion: 8".utf8, &search) == 2)
    #expect(matcher.feed("\n\n".utf8, &search) == 2)
    // The copy does not know of it.
    #expect(other.cut == nil)
    #expect(matcher.feed("t\n\n".utf8, &other) == 7)
  }

  @Test func theFirstCompleteTextCountsAndTheLongestOfThose() {
    for (stops, cut) in [(["abcd", "bc"], 1), (["bc", "abc"], 0), (["c"], 2), (["x"], nil)] {
      let matcher = StopStrings(stops)
      var search = matcher.search()
      #expect(matcher.feed("abcd".utf8, &search) == cut)
    }
  }

  @Test func withoutStopTextsNothingIsCut() {
    var search = StopStrings([]).search()
    #expect(StopStrings([]).isEmpty)
    #expect(StopStrings([]).feed("abc".utf8, &search) == nil)
  }
}
