/// What is wrong with a file: its path and a reason that names the field or line.
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
  public var description: String { "\(file): \(reason)" }
}
