/// What is wrong with an argument or option: its name, what was expected and what was given.
public struct ArgumentError: Error, Equatable, CustomStringConvertible {
  /// The whole message, as the user reads it.
  public let message: String

  /// An error with the given text: `top_p: a number in (0, 1] expected, got 1.5`.
  public init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}
