// How many columns of a terminal a text takes: two for East Asian wide characters and emoji, none
// for combining marks and format characters, one for others (UAX #11, as wcwidth counts). A
// sequence of joined emoji counts as its parts, as most terminals draw it.

/// The columns that a text takes on a terminal.
public func displayWidth(_ text: String) -> Int {
  // Most texts are ASCII.
  if text.utf8.allSatisfy({ 0x20..<0x7F ~= $0 }) { return text.utf8.count }
  return text.unicodeScalars.reduce(0) { $0 + $1.displayWidth }
}

/// The beginning of a text in at most so many columns; one that is longer ends in `…`.
public func excerpt(_ text: String, columns: Int) -> String {
  if text.utf8.count <= columns || displayWidth(text) <= columns { return text }
  var result = String.UnicodeScalarView()
  var width = 1  // of the ellipsis
  for scalar in text.unicodeScalars {
    width += scalar.displayWidth
    if width > columns { break }
    result.append(scalar)
  }
  return columns < 1 ? "" : String(result) + "…"
}

extension Unicode.Scalar {
  /// The columns of a character.
  var displayWidth: Int {
    if value < 0x300 { return value < 0x20 || 0x7F..<0xA0 ~= value ? 0 : 1 }
    if isZeroWidth { return 0 }
    return isWide ? 2 : 1
  }

  private var isZeroWidth: Bool {
    switch properties.generalCategory {
    case .format where signsOfNumbers.contains(value): return false
    case .nonspacingMark, .enclosingMark, .format, .lineSeparator, .paragraphSeparator: return true
    default: break
    }
    // Vowels and final consonants of Hangul join the syllable before them.
    return 0x1160...0x11FF ~= value || 0xD7B0...0xD7FF ~= value
  }

  private var isWide: Bool {
    if value < 0x1100 { return false }
    // A flag is two of these letters, in two columns.
    if 0x1F1E6...0x1F1FF ~= value { return false }
    return properties.isEmojiPresentation || wideRanges.contains { $0 ~= value }
  }
}

/// Format characters that are drawn, around the digits that follow.
private let signsOfNumbers: Set<UInt32> = [
  0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD,
]

/// East Asian wide and full-width characters of Unicode 16 that are no emoji.
private let wideRanges: [ClosedRange<UInt32>] = [
  0x1100...0x115F, 0x2329...0x232A, 0x2630...0x2637, 0x268A...0x268F, 0x2E80...0x303E,
  0x3041...0xA4C6, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19,
  0xFE30...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18D08, 0x1AFF0...0x1B2FB,
  0x1D300...0x1D376, 0x1F200...0x1F265, 0x1F3FB...0x1F3FF, 0x20000...0x3FFFD,
]
