/// An error about a file: its path and a reason that names the field or line.
public struct FileError: Error, Equatable, CustomStringConvertible {
  /// Path of the file, as it was given.
  public let file: String
  /// What is wrong, what was expected and what was found.
  public let reason: String

  /// Makes an error about a file.
  public init(_ file: String, _ reason: String) {
    self.file = file
    self.reason = reason
  }

  /// The path, then the reason.
  public var description: String { "\(shown(file)): \(reason)" }
}

/// A path as errors show it, in one line: control characters escaped, very long paths shortened in
/// the middle.
public func shown(_ path: String) -> String {
  let scalars = path.unicodeScalars
  guard scalars.count <= 400 else {
    return shown(String(scalars.prefix(200))) + "…" + shown(String(scalars.suffix(150)))
  }
  guard scalars.contains(where: \.isControl) else { return path }
  return scalars.map { scalar in
    guard scalar.isControl else { return String(scalar) }
    switch scalar {
    case "\n": return "\\n"
    case "\t": return "\\t"
    case "\r": return "\\r"
    default:
      let digits = String(scalar.value, radix: 16, uppercase: true)
      guard scalar.value < 0x80 else { return "\\u{\(digits)}" }
      return "\\x" + (digits.count < 2 ? "0" : "") + digits
    }
  }.joined()
}

extension Unicode.Scalar {
  /// Whether it is a control character or changes the writing direction.
  fileprivate var isControl: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
