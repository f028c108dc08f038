/// What went wrong in a tensor operation: its name, both sides, what was expected.
public struct TensorError: Error, Equatable, CustomStringConvertible {
  /// The whole message, as the user reads it.
  public let message: String

  /// An error with the given text: `add: shapes [2, 3] and [4] do not broadcast`.
  public init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }

  /// The computation was stopped by the user (Ctrl-C).
  public static let interrupted = TensorError("interrupted!")
}

/// The question that long computations ask between steps: has the user asked to stop?
public enum Interrupt {
  /// Set once at start by whoever handles signals; must be cheap.
  public nonisolated(unsafe) static var isRequested: @convention(c) () -> Bool = { false }

  /// About how many cheap steps, such as bytes of a text, may pass between two questions.
  public static let interval = 1 << 16

  /// Throws `TensorError.interrupted` when the user has asked to stop.
  public static func check() throws(TensorError) {
    if isRequested() { throw .interrupted }
  }
}
