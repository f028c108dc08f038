/// The chat templates of a model folder, and the special tokens that they may name.
///
/// A `chat_template.jinja` wins over `chat_template` of `tokenizer_config.json` (a text, or a list of
/// names and texts), and that over the `chat_template.json` of older folders.
public struct ChatTemplates: Sendable {
  /// Names, texts and where they came from; the name of a lone template is `default`.
  public private(set) var all: [(name: String, text: String, source: String)] = []
  /// `bos_token` and its like, with their texts.
  public let specialTokens: [JSON.Member]

  /// Reads them from the files of a folder, by their names; throws a `FileError` naming file and field.
  public init(files: [String: [UInt8]], folder: String) throws {
    func fields(_ name: String) throws -> JSONFields? {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      guard let bytes = files[name] else { return nil }
      return try JSONFields(
        bytes.withUnsafeBytes { try JSON.parse($0, file: path) }, file: path)
    }
    let configuration = try fields("tokenizer_config.json")
    specialTokens = try Self.specialTokens(configuration, fields("special_tokens_map.json"))
    if let bytes = files["chat_template.jinja"] {
      let path = folder.isEmpty ? "chat_template.jinja" : "\(folder)/chat_template.jinja"
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw FileError(path, "is not valid UTF-8")
      }
      add("default", text, path)
    }
    for source in try [configuration, fields("chat_template.json")] {
      guard let source, let value = source["chat_template"] else { continue }
      try add(value, source)
    }
  }

  /// Keeps a template unless one of its name is there.
  private mutating func add(_ name: String, _ text: String, _ source: String) {
    if !all.contains(where: { $0.name == name }) { all.append((name, text, source)) }
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

  /// The template of a name; without one, `tool_use` where there are tools, else `default`, as
  /// transformers chooses. Nil when there are no templates at all.
  public func choose(
    _ name: String?, hasTools: Bool
  ) throws(ArgumentError) -> (text: String, source: String)? {
    guard !all.isEmpty || name != nil else { return nil }
    let wanted = name.map { [$0] } ?? (hasTools ? ["tool_use", "default"] : ["default"])
    for name in wanted {
      if let found = all.first(where: { $0.name == name }) { return (found.text, found.source) }
    }
    let names = all.map { "'\($0.name)'" }.joined(separator: ", ")
    throw ArgumentError(
      "there is no chat template '\(wanted[0])' (there are: \(names.isEmpty ? "none" : names))")
  }

  private static func specialTokens(_ sources: JSONFields?...) throws -> [JSON.Member] {
    let names = [
      "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]
    return try names.compactMap { name in
      for case let source? in sources {
        if let text = try Tokenizer.specialToken(source, name) {
          return JSON.Member(name, .string(text))
        }
      }
      return nil
    }
  }
}
