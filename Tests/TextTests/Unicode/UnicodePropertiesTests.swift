import Testing

@testable import Text

/// The short cuts for character properties against the standard library, on every character.
@Suite("Unicode properties")
struct UnicodePropertiesTests {
  static let scalars = (0..<0x110000).compactMap { Unicode.Scalar(UInt32($0)) }

  @Test("White space is that of the standard library")
  func spaces() {
    let wrong = Self.scalars.filter { $0.isSpace != $0.properties.isWhitespace }
    #expect(Array(wrong) == [])
  }

  @Test("A category is the same the first time and when it is known")
  func categories() {
    let names = ["Lu", "Ll", "Lo", "Mn", "Nd", "No", "Po", "Sm", "So", "Zs", "Cc", "Co"]
    let bits = names.map { Unicode.Scalar.categoryBits($0) ?? 0 }
    let expected: [Unicode.GeneralCategory] = [
      .uppercaseLetter, .lowercaseLetter, .otherLetter, .nonspacingMark, .decimalNumber,
      .otherNumber, .otherPunctuation, .mathSymbol, .otherSymbol, .spaceSeparator, .control,
      .privateUse,
    ]
    for scalar in Self.scalars where scalar.isIn(unicode: 16) {
      let (first, known) = (scalar.categoryBit, scalar.categoryBit)
      guard known == first else { return #expect(known == first, "\(scalar)") }
      guard let place = expected.firstIndex(of: scalar.properties.generalCategory) else { continue }
      guard first == bits[place] else { return #expect(first == bits[place], "\(scalar)") }
    }
  }

  @Test("A set decides beyond ASCII as its items do one by one")
  func sets() {
    let items: [(kind: ScalarSet.Kind, isNegated: Bool)] = [
      (.categories(Unicode.Scalar.categoryBits("L") ?? 0), false), (.whitespace, false),
      (.categories(Unicode.Scalar.categoryBits("P") ?? 0), true), (.whitespace, true),
      (.range(0x400...0x4FF), false), (.range(0x41...0x5A), false), (.word, true),
    ]
    for first in items {
      for second in items {
        let both = ScalarSet([first, second])
        let (one, other) = (ScalarSet([first]), ScalarSet([second]))
        let neither = ScalarSet([first, second], isNegated: true)
        for scalar in Self.scalars where scalar.value < 0x3100 {
          let isIn = one.contains(scalar) || other.contains(scalar)
          guard both.contains(scalar) == isIn, neither.contains(scalar) != isIn else {
            Issue.record("\(scalar): of \(first) and \(second)")
            return
          }
        }
      }
    }
  }
}
