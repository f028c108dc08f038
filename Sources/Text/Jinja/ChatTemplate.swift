import Core

/// A chat template: renders messages as the text format that a model was trained on.
///
/// The language is the part of Jinja used by published templates, rendered as in Hugging Face's
/// `apply_chat_template`. Anything else is an error that names it and its line.
public struct ChatTemplate: Sendable {
  /// Its origin, for error texts.
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

/// The chat templates of a model folder, and the special tokens they may use.
///
/// `chat_template.jinja`, the default, and the files of `additional_chat_templates` override
/// `chat_template` of `tokenizer_config.json` (a text, or a list of names and texts), as in
/// transformers; that overrides the `chat_template.json` of older folders.
public struct ChatTemplates: Sendable {
  /// The folder of templates with other names than `default`, as transformers writes it.
  package static let folder = "additional_chat_templates"

  /// Names, texts and where they came from; the name of a lone template is `default`.
  public private(set) var all: [(name: String, text: String, source: String)] = []
  /// `bos_token` and its like, with their texts.
  public let specialTokens: [JSON.Member]

  /// Reads them from the files of a folder, by their names; throws a `FileError` naming file and
  /// field.
  public init(files: [String: [UInt8]], folder: String) throws {
    func fields(_ name: String) throws -> JSONFields? {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      guard let bytes = files[name] else { return nil }
      return try JSONFields(
        bytes.withUnsafeBytes { try JSON.parse($0, file: path) }, file: path)
    }
    let configuration = try fields("tokenizer_config.json")
    specialTokens = try Self.specialTokens(
      Tokenizer.names(configuration, map: fields("special_tokens_map.json")))
    for (file, bytes) in files.sorted(by: { $0.key < $1.key }) {
      guard let name = Self.name(ofFile: file) else { continue }
      let path = folder.isEmpty ? file : "\(folder)/\(file)"
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw FileError(path, "is not valid UTF-8")
      }
      // The default's own file overrides one of that name in the folder.
      if file == "chat_template.jinja" { all.removeAll { $0.name.hasSameBytes(as: name) } }
      add(name, text, path)
    }
    guard all.isEmpty else { return }
    for source in try [configuration, fields("chat_template.json")] {
      guard let source, let value = source["chat_template"] else { continue }
      try add(value, source)
    }
  }

  /// The name of the template in a file; nil if it is not a template.
  private static func name(ofFile file: String) -> String? {
    if file == "chat_template.jinja" { return "default" }
    guard file.hasPrefix("\(folder)/"), file.hasSuffix(".jinja") else { return nil }
    return String(file.dropFirst(folder.count + 1).dropLast(".jinja".count))
  }

  /// Adds a template unless its name is taken.
  private mutating func add(_ name: String, _ text: String, _ source: String) {
    if !all.contains(where: { $0.name.hasSameBytes(as: name) }) { all.append((name, text, source)) }
  }

  private mutating func add(_ value: JSON, _ fields: JSONFields) throws {
    if case .string(let text) = value {
      return add("default", text, "\(fields.file): field 'chat_template'")
    }
    guard case .array = value else {
      throw fields.error("chat_template", "must be a string or a list of names and templates")
    }
    for entry in try fields.objects("chat_template") {
      try add(
        entry.string("name"), entry.string("template"), "\(fields.file): field '\(entry.path)'")
    }
  }

  /// The template of a name; without a name, `tool_use` if there are tools, else `default`, as in
  /// transformers. Nil if there are no templates.
  public func choose(
    _ name: String?, hasTools: Bool
  ) throws(ArgumentError) -> (text: String, source: String)? {
    guard !all.isEmpty || name != nil else { return nil }
    let wanted = name.map { [$0] } ?? (hasTools ? ["tool_use", "default"] : ["default"])
    for name in wanted {
      if let found = all.first(where: { $0.name.hasSameBytes(as: name) }) {
        return (found.text, found.source)
      }
    }
    let names = all.map { "'\($0.name)'" }.joined(separator: ", ")
    throw ArgumentError(
      "there is no chat template '\(wanted[0])' (there are: \(names.isEmpty ? "none" : names))")
  }

  private static func specialTokens(_ source: JSONFields?) throws -> [JSON.Member] {
    let names = [
      "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]
    return try names.compactMap { name in
      try Tokenizer.specialToken(source, name).map { JSON.Member(name, .string($0)) }
    }
  }
}
