// Splits and rewrites pieces of text.

import Core

extension Pieces {
  /// Splits every piece at the matches of a pattern; `inverted` swaps matches and gaps.
  mutating func split(_ pattern: Pattern, _ behavior: SplitBehavior, inverted: Bool) throws {
    var result: [Range<Int>] = []
    var hasEmpty = false
    result.reserveCapacity(bytes.count / 4)
    try bytes.withUnsafeBufferPointer { bytes in
      for range in ranges {
        var cutter = Cutter(behavior, result.count)
        var end = range.lowerBound
        try pattern.forEachMatch(in: UTF8Bytes(rebasing: bytes[range]), &budget) { match in
          let start = range.lowerBound + match.lowerBound
          if end < start { cutter.add(end..<start, isMatch: inverted, to: &result) }
          end = range.lowerBound + match.upperBound
          hasEmpty = hasEmpty || match.isEmpty
          cutter.add(start..<end, isMatch: !inverted, to: &result)
        }
        if end < range.upperBound {
          cutter.add(end..<range.upperBound, isMatch: inverted, to: &result)
        }
      }
    }
    // An empty match separates its neighbours and is dropped.
    if hasEmpty { result.removeAll(where: \.isEmpty) }
    replaceRanges(result)
  }

  /// Cuts every piece after each so many characters.
  mutating func split(every length: Int) throws {
    var result: [Range<Int>] = []
    try bytes.withUnsafeBufferPointer { bytes in
      for range in ranges {
        var (start, count) = (range.lowerBound, 0)
        try UTF8Bytes(rebasing: bytes[range]).forEachScalar { scalar, _ in
          count += 1
          guard count == length else { return }
          let end = range.lowerBound + scalar.upperBound
          result.append(start..<end)
          (start, count) = (end, 0)
        }
        if start < range.upperBound { result.append(start..<range.upperBound) }
      }
    }
    replaceRanges(result)
  }

  private mutating func replaceRanges(_ new: [Range<Int>]) {
    if new.first?.lowerBound != ranges.first?.lowerBound { isAtStart = false }
    ranges = new
  }

  /// Rewrites every piece; `body` gets the piece's number and bytes and appends to the new text.
  mutating func rewrite(_ body: (Int, UTF8Bytes, inout [UInt8]) throws -> Void) throws {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 2)
    try bytes.withUnsafeBufferPointer { bytes in
      for index in ranges.indices {
        if index % Interrupt.interval == Interrupt.interval - 1 { try Interrupt.check() }
        let start = result.count
        try body(index, UTF8Bytes(rebasing: bytes[ranges[index]]), &result)
        ranges[index] = start..<result.count
      }
    }
    bytes = result
  }
}

/// Turns the alternating matches and gaps of one piece into pieces, by the rule of a behaviour.
private struct Cutter {
  let behavior: SplitBehavior
  /// Number of results before this piece; they are not to be merged with.
  let first: Int
  private var lastWasMatch: Bool?

  init(_ behavior: SplitBehavior, _ first: Int) {
    (self.behavior, self.first) = (behavior, first)
  }

  @inline(__always)
  mutating func add(_ range: Range<Int>, isMatch: Bool, to result: inout [Range<Int>]) {
    defer { lastWasMatch = isMatch }
    let joins =
      switch behavior {
      case .removed, .isolated: false
      case .contiguous: lastWasMatch == isMatch
      // Of consecutive matches only the first joins the text before.
      case .mergedWithPrevious: isMatch && lastWasMatch == false
      // A match joins the text after it; of consecutive matches only the last.
      case .mergedWithNext: !isMatch && lastWasMatch == true
      }
    if behavior == .removed, isMatch { return }
    if joins, result.count > first {
      result[result.count - 1] = result[result.count - 1].lowerBound..<range.upperBound
    } else {
      result.append(range)
    }
  }
}
