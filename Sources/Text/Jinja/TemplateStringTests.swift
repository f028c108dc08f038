// Python's questions about a text.

extension String {
  /// Python's `isdigit` and its like.
  func holds(_ name: String) -> Bool {
    if name == "isascii" { return unicodeScalars.allSatisfy(\.isASCII) }
    if name == "isprintable" { return unicodeScalars.allSatisfy(\.isPrintable) }
    guard !isEmpty else { return false }
    switch name {
    case "isspace": return unicodeScalars.allSatisfy(\.isPythonSpace)
    case "isdigit": return unicodeScalars.allSatisfy(\.isDigit)
    case "isdecimal": return unicodeScalars.allSatisfy { $0.properties.numericType == .decimal }
    case "isnumeric": return unicodeScalars.allSatisfy { $0.properties.numericType != nil }
    case "isidentifier":
      return (unicodeScalars.first.map { $0 == "_" || $0.properties.isXIDStart } ?? false)
        && unicodeScalars.allSatisfy(\.properties.isXIDContinue)
    case "istitle": return isTitle
    case "isalpha": return unicodeScalars.allSatisfy(\.isLetter)
    case "isalnum":
      return unicodeScalars.allSatisfy { $0.isLetter || $0.properties.numericType != nil }
    case "isupper":
      return unicodeScalars.contains(where: \.properties.isUppercase)
        && !unicodeScalars.contains(where: \.properties.isLowercase)
    default:
      return unicodeScalars.contains(where: \.properties.isLowercase)
        && !unicodeScalars.contains(where: \.properties.isUppercase)
    }
  }

  /// Whether words begin with a large letter and go on with small ones.
  private var isTitle: Bool {
    var isInWord = false
    var hasWord = false
    for scalar in unicodeScalars {
      let properties = scalar.properties
      if properties.isUppercase || properties.generalCategory == .titlecaseLetter {
        if isInWord { return false }
        (isInWord, hasWord) = (true, true)
      } else if properties.isLowercase {
        if !isInWord { return false }
      } else {
        isInWord = false
      }
    }
    return hasWord
  }
}

extension Unicode.Scalar {
  fileprivate var isDigit: Bool {
    properties.numericType == .decimal || properties.numericType == .digit
  }

  fileprivate var isLetter: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }
}
