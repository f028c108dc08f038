/// Misuse of a tokenizer.
public struct TokenizerError: Error, Equatable, CustomStringConvertible {
  /// What is wrong.
  public let description: String
  init(_ description: String) { self.description = description }
}
