/// What is wrong with a chat template, and on which line.
public struct TemplateError: Error, Equatable, CustomStringConvertible {
  /// Where the template came from: a file, or an option's name.
  public let source: String
  /// The line of the template, from 1.
  public let line: Int
  /// What is wrong.
  public let reason: String

  /// The source, the line, then the reason.
  public var description: String { "\(source): line \(line): \(reason)" }
}

/// What is wrong, before the line is known.
struct TemplateFault: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
