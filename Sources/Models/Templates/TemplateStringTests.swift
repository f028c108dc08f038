// Python's questions about a text.

extension String {
  /// Python's `isdigit` and its like.
  func holds(_ name: String) -> Bool {
    if name == "isascii" { return unicodeScalars.allSatisfy(\.isASCII) }
    guard !isEmpty else { return false }
    switch name {
    case "isspace": return unicodeScalars.allSatisfy(\.isPythonSpace)
    case "isdigit": return unicodeScalars.allSatisfy(\.isDigit)
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
