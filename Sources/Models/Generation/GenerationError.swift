/// What went wrong while a prompt's completion was sampled.
public struct GenerationError: Error, CustomStringConvertible {
  /// The position of the prompt, from 0.
  public let prompt: Int
  /// What it was.
  public let reason: String

  /// The error, with the prompt's position from 1.
  public var description: String { "generate: prompt \(prompt + 1): \(reason)" }
}
