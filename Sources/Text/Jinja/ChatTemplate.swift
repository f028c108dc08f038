/// A chat template: turns messages into the text that a model was trained on.
///
/// The language is the part of Jinja that the templates of published models use, rendered as Hugging
/// Face's `apply_chat_template` does. What is outside of it is an error that names it and its line.
public struct ChatTemplate: Sendable {
  /// Where it came from, as error texts say it.
  public let source: String
  /// The template as it was written.
  public let text: String
  private let statements: [TemplateStatement]

  /// Parses a template; throws a `TemplateError` that names the line.
  public init(_ text: String, source: String) throws {
    self.text = text
    self.source = source
    statements = try TemplateParser.parse(text, named: source)
  }

  /// The text with these variables, in JSON's terms.
  ///
  /// - Parameter now: what `strftime_now` calls now, in seconds since 1970.
  public func render(_ variables: [JSON.Member], now: Int) throws -> String {
    try TemplateEvaluator.render(
      statements, named: source,
      variables: variables.map { ($0.key, try TemplateValue($0.value)) }, now: now)
  }
}

extension TemplateValue {
  /// A value of JSON; throws when it is nested too deeply.
  init(_ json: JSON) throws {
    switch json {
    case .null: self = .none
    case .bool(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .double(let value): self = .float(value)
    case .string(let text): self = .string(text)
    case .array(let items): self = try .list(of: items.map { try TemplateValue($0) })
    case .object(let members):
      var dictionary = TemplateDictionary()
      for member in members { try dictionary.set(member.key, TemplateValue(member.value)) }
      self = .dictionary(dictionary)
    }
  }
}
