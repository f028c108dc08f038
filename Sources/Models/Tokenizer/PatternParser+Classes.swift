// Character classes and escapes of patterns.

extension PatternParser {
  typealias Item = (kind: ScalarSet.Kind, isNegated: Bool)

  /// What follows `[`, up to and with the closing `]`.
  mutating func characterClass() throws -> ScalarSet {
    let isNegated = take("^")
    var items: [Item] = []
    while !take("]") || items.isEmpty {
      guard let scalar = next else { throw PatternError("a character class is not closed") }
      if scalar == "[" || text[position...].starts(with: "&&".unicodeScalars) {
        throw PatternError("a class within a class is not supported")
      }
      let first = try classItem()
      guard next == "-", position + 1 < text.count, text[position + 1] != "]" else {
        items.append(first)
        continue
      }
      position += 1
      items.append(try range(first, classItem()))
    }
    return ScalarSet(items, isNegated: isNegated, ignoringCase: ignoresCase)
  }

  private mutating func classItem() throws -> Item {
    guard let scalar = next else { throw PatternError("a character class is not closed") }
    position += 1
    if scalar == "\\" { return try escapedItem() }
    return (.range(scalar.value...scalar.value), false)
  }

  private func range(_ first: Item, _ last: Item) throws -> Item {
    guard case .range(let low) = first.kind, case .range(let high) = last.kind,
      low.count == 1, high.count == 1, low.lowerBound <= high.lowerBound
    else { throw PatternError("a range in a character class is not one") }
    return (.range(low.lowerBound...high.lowerBound), false)
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
    guard let bits = Unicode.Scalar.categoryBits(name) else {
      throw PatternError("the property '\(name)' is not supported")
    }
    return (.categories(bits), isNegated != inverted)
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
