// Character classes and escapes of patterns.

extension PatternParser {
  typealias Item = (kind: ScalarSet.Kind, isNegated: Bool)

  /// What follows `[`, up to and with the closing `]`: unions of items, cut with `&&`.
  mutating func characterClass() throws -> ScalarSet {
    classDepth += 1
    defer { classDepth -= 1 }
    if classDepth > 50 { throw PatternError("character classes are nested too deep") }
    let isNegated = take("^")
    var operands: [[Item]] = [[]]
    var isFirst = true
    while isFirst || !take("]") {
      isFirst = false
      if take("&&") {
        operands.append([])
      } else if next == "[" {
        position += 1
        operands[operands.count - 1].append(try namedClass() ?? (.set(characterClass()), false))
      } else {
        operands[operands.count - 1].append(try classItem())
      }
    }
    let ignoresCase = options.ignoresCase
    return ScalarSet(
      operands[0], and: operands.dropFirst().map { ScalarSet($0, ignoringCase: ignoresCase) },
      isNegated: isNegated, ignoringCase: ignoresCase)
  }

  /// `[:alpha:]` and the like, behind the bracket; nil when it is something else.
  private mutating func namedClass() throws -> Item? {
    guard next == ":", let end = text[position...].firstIndex(of: "]"), end > position + 1,
      text[end - 1] == ":"
    else { return nil }
    let isNegated = position + 1 < end && text[position + 1] == "^"
    let name = text[(position + (isNegated ? 2 : 1))..<max(position + 2, end - 1)]
    guard let item = CharacterProperty.inBrackets(String(String.UnicodeScalarView(name))) else {
      return nil
    }
    position = end + 1
    return (item, isNegated)
  }

  /// A character, a range or an escape.
  private mutating func classItem() throws -> Item {
    let first = try classAtom()
    guard case .range(let low) = first.kind, low.count == 1, !first.isNegated,
      next == "-", position + 1 < text.count, text[position + 1] != "]",
      text[position + 1] != "["
    else { return first }
    position += 1
    guard case .range(let high) = try classAtom().kind, high.count == 1,
      low.lowerBound <= high.lowerBound
    else { throw PatternError("a range in a character class is not one") }
    return (.range(low.lowerBound...high.lowerBound), false)
  }

  private mutating func classAtom() throws -> Item {
    guard let scalar = next else { throw PatternError("a character class is not closed") }
    position += 1
    if scalar == "\\" { return take("b") ? single(8) : try escapedItem() }
    return single(scalar.value)
  }

  /// What follows a backslash, where it stands for a set of characters.
  mutating func escapedItem() throws -> Item {
    guard let scalar = next else { throw PatternError("the pattern ends after a backslash") }
    position += 1
    switch scalar {
    case "s": return (.whitespace, false)
    case "S": return (.whitespace, true)
    case "w": return (.word, false)
    case "W": return (.word, true)
    case "d": return (.categories(Unicode.Scalar.bit(.decimalNumber)), false)
    case "D": return (.categories(Unicode.Scalar.bit(.decimalNumber)), true)
    case "p": return try property(isNegated: false)
    case "P": return try property(isNegated: true)
    case "h": return (CharacterProperty.hexDigit, false)
    case "H": return (CharacterProperty.hexDigit, true)
    case "n": return single(10)
    case "r": return single(13)
    case "t": return single(9)
    case "f": return single(12)
    case "v": return single(11)
    case "a": return single(7)
    case "e": return single(27)
    case "x", "u": return single(try code(scalar))
    case "0"..."9", "A"..."Z", "a"..."z":
      throw PatternError("the escape \\\(scalar) is not supported")
    default: return single(scalar.value)
    }
  }

  private func single(_ code: UInt32) -> Item { (.range(code...code), false) }

  private mutating func property(isNegated: Bool) throws -> Item {
    guard take("{"), let end = text[position...].firstIndex(of: "}") else {
      throw PatternError("a property is written \\p{NAME}")
    }
    let inverted = take("^")
    let name = String(String.UnicodeScalarView(text[position..<max(position, end)]))
    position = end + 1
    guard let kind = CharacterProperty.named(name) else {
      throw PatternError("the property '\(name)' is not supported")
    }
    return (kind, isNegated != inverted)
  }

  /// `\xHH`, `\x{H…}` or `\uHHHH`.
  private mutating func code(_ kind: Unicode.Scalar) throws -> UInt32 {
    let start = position
    let braces = kind == "x" && take("{")
    let limit = braces ? 6 : kind == "u" ? 4 : 2
    var digits = ""
    while let scalar = next, digits.count < limit, scalar.properties.isASCIIHexDigit {
      digits.unicodeScalars.append(scalar)
      position += 1
    }
    guard let code = UInt32(digits, radix: 16), !braces || take("}"), Unicode.Scalar(code) != nil
    else { throw PatternError("the escape at character \(start) is not a character") }
    return code
  }
}
