// Reads the prompts that scripts pass: one or several rows with a `prompt`, texts, lists of token
// ids, or lists of messages.

import Lua
import Models
import Tensors

/// A prompt for the sampler.
struct Prompt {
  var ids: [Int]
  /// The encoded text; nil for ids.
  var text: String?
  /// The caller's table, or one made for a text or ids.
  let row: LuaReference
  /// The key of its samples' random numbers.
  let key: UInt64
  /// Where its row was read; nil if it is not a row.
  let place: RowNumbers.Place?
}

/// What to do with a prompt that leaves no room for the completion.
enum Overlong: String, CaseIterable {
  case error
  case truncateLeft = "truncate_left"
}

/// Reads the prompts of a call of `generate`.
struct PromptReader {
  let model: Model
  let rows: RowNumbers
  var overlong = Overlong.error

  /// One or several prompts, in order.
  ///
  /// - Parameter limits: the maximum tokens of each completion, or one for all.
  func read(_ argument: Argument, limits: [Int]) throws -> [Prompt] {
    let prompts = try Prompts(argument)
    guard limits.count == 1 || limits.count == prompts.count else {
      throw LuaError(
        "generate: option 'max_tokens': a number for each prompt expected, got \(limits.count) for "
          + "\(prompts.count)")
    }
    return try prompts.map { prompt, position in
      try read(prompt, position, limits.count == 1 ? limits[0] : limits[position - 1])
    }
  }

  /// The prompt at a position, to be followed by `maxTokens`.
  private func read(_ argument: Argument, _ position: Int, _ maxTokens: Int) throws -> Prompt {
    do {
      var encoded = try encode(argument)
      try fit(&encoded, maxTokens)
      let index = try encoded.isRow ? rows[argument] : nil
      let row =
        try encoded.isRow
        ? argument.reference()
        : rows.state.reference(
          to: .table(LuaTable(fields: [(name: "prompt", value: encoded.field)])))
      let place = try encoded.isRow ? rows.place(of: argument) : nil
      return Prompt(
        ids: encoded.ids, text: encoded.text, row: row,
        key: index.map { UInt64($0) } ?? hash(encoded.ids), place: place)
    } catch {
      let place = try rows.place(of: argument).map { "\($0)" } ?? "prompt \(position)"
      throw LuaError("generate: \(place): \(error)\(try argument.excerpt())")
    }
  }

  /// What is wrong with a row's prompt followed by `maxTokens`, or nil.
  func fault(_ argument: Argument, _ maxTokens: Int) throws -> PromptFault? {
    do {
      let tokens = try encode(argument).ids.count
      guard tokens + maxTokens > context else { return nil }
      return PromptFault(text: tooLong(tokens, maxTokens).message, isOverlong: context > maxTokens)
    } catch {
      if LuaState.isInterrupted { throw error }
      return PromptFault(text: "\(error)", isOverlong: false)
    }
  }

  private var context: Int { model.transformer.configuration.maxPositions }

  private func tooLong(_ tokens: Int, _ maxTokens: Int) -> LuaError {
    let key = model.transformer.configuration.contextKey
    return LuaError(
      "the prompt has \(tokens) tokens, which with max_tokens = \(maxTokens) exceeds the model's "
        + "context of \(context) (\(key))")
  }

  /// Drops the first tokens of an overlong prompt, if requested.
  private func fit(_ prompt: inout Encoded, _ maxTokens: Int) throws {
    let room = context - maxTokens
    guard prompt.ids.count > room else { return }
    guard overlong == .truncateLeft, room > 0 else { throw tooLong(prompt.ids.count, maxTokens) }
    prompt.ids = Array(prompt.ids.suffix(room))
    prompt.text = nil  // that of the tokens which are left, when it is asked for
  }

  // MARK: What a prompt can be

  /// The tokens of a prompt, and their source.
  private struct Encoded {
    var ids: [Int]
    var text: String?
    /// Whether the prompt is the field of a row.
    var isRow = false
    /// The `prompt` of a row created for it.
    var field = LuaValue.nil
  }

  private func encode(_ argument: Argument) throws -> Encoded {
    switch argument.kind {
    case .string: return try text(argument)
    case .table: return try table(argument)
    default:
      throw LuaError(
        "a row with a prompt, a string, a list of token ids or a list of messages expected, got "
          + argument.typeName)
    }
  }

  private func table(_ argument: Argument) throws -> Encoded {
    if try argument.withElement(1, { $0.kind == .number }) { return try ids(argument) }
    if try argument.isMessages() { return try messages(argument, row: nil) }
    var encoded = try argument.withField("prompt") { field in
      switch field.kind {
      case .string: return try text(field)
      case .table: return try field.isMessages() ? messages(field, row: argument) : ids(field)
      case .none, .nil:
        let names = try argument.fieldNames().joined(separator: ", ")
        throw LuaError("field 'prompt' is missing (row has: \(names.isEmpty ? "nothing" : names))")
      default:
        throw LuaError(
          "field 'prompt' must be a string, a list of token ids or a list of messages, got "
            + field.typeName)
      }
    }
    encoded.isRow = true
    return encoded
  }

  private func text(_ argument: Argument) throws -> Encoded {
    let bytes = try argument.bytes()
    let ids = try model.requireTokenizer(for: "a text").encode(utf8: bytes)
    let text = String(decoding: bytes, as: UTF8.self)
    return try checked(Encoded(ids: ids, text: text, field: .string(text)))
  }

  /// Messages are rendered with the chat template, up to the assistant's answer, or to continue its
  /// last message. The template receives a row's `tools` and `chat_template_kwargs`, as in TRL.
  private func messages(_ argument: Argument, row: Argument?) throws -> Encoded {
    let tokenizer = try model.requireTokenizerObject(for: "a list of messages")
    let reader = ChatMessages(function: "chat template")
    var request = ChatRequest(function: reader.function, messages: try reader.messages(argument))
    request.continuesFinalMessage = request.messages.last?["role"] == .string("assistant")
    request.addsGenerationPrompt = !request.continuesFinalMessage
    if let row {
      request.tools = try row.withField("tools") { try reader.objects($0, "tools") }
      request.variables = try row.withField("chat_template_kwargs") {
        try reader.variables($0, "chat_template_kwargs")
      }
    }
    let text = try tokenizer.render(request)
    let ids = try tokenizer.tokenizer.encode(text, addSpecialTokens: false)
    let given = row == nil ? LuaValue.reference(try argument.reference()) : .nil
    return try checked(Encoded(ids: ids, text: text, field: given))
  }

  private func ids(_ argument: Argument) throws -> Encoded {
    let ids = try argument.integers()
    let vocabulary = model.transformer.configuration.vocabularySize
    if let wrong = ids.first(where: { $0 < 0 || $0 >= vocabulary }) {
      throw LuaError("token id \(wrong) is outside of 0..\(vocabulary - 1)")
    }
    return try checked(Encoded(ids: ids, field: .list(ids.map { .integer($0) })))
  }

  private func checked(_ encoded: Encoded) throws -> Encoded {
    guard !encoded.ids.isEmpty else { throw LuaError("it has no tokens; at least one expected") }
    return encoded
  }

  /// A separate key for prompts that are not dataset rows.
  private func hash(_ ids: [Int]) -> UInt64 {
    ids.reduce(1) { mix($0, UInt64(bitPattern: Int64($1))) } | 1 << 63
  }
}

/// What is wrong with the prompt of a row.
struct PromptFault {
  let text: String
  /// Whether it is only too long, which can be fixed.
  let isOverlong: Bool
}

/// The prompts in an argument: one, or several in a list or a dataset.
private struct Prompts {
  let argument: Argument
  let isOne: Bool
  let isDataset: Bool
  let count: Int

  init(_ argument: Argument) throws {
    self.argument = argument
    isDataset = argument.typeName == "apo.Dataset"
    if isDataset {
      isOne = false
      count = try argument.withField("rows") { $0.length }
    } else {
      let isRow = try argument.withField("prompt") { !$0.isAbsent }
      let isIDs = try argument.withElement(1) { $0.kind == .number } || argument.isMessages()
      let hasNames = try argument.length == 0 && !argument.fieldNames().isEmpty
      isOne = argument.kind == .string || isRow || isIDs || hasNames
      count = isOne ? 1 : argument.length
    }
    guard count > 0 else { throw LuaError("generate: there are no prompts") }
  }

  /// Calls `body` with each prompt and its position from 1.
  func map<Output>(_ body: (Argument, Int) throws -> Output) throws -> [Output] {
    if isOne { return [try body(argument, 1)] }
    return try isDataset
      ? argument.withField("rows") { try elements($0, body) } : elements(argument, body)
  }

  private func elements<Output>(
    _ list: Argument, _ body: (Argument, Int) throws -> Output
  ) throws -> [Output] {
    try (1...count).map { position in
      try list.withElement(position) { try body($0, position) }
    }
  }
}

extension Argument {
  /// Whether this is a list of messages: its first element is a table with a role.
  fileprivate func isMessages() throws -> Bool {
    try withElement(1) { first in
      guard first.kind == .table else { return false }
      return try first.withField("role") { !$0.isAbsent }
        && first.withField("prompt") { $0.isAbsent }
    }
  }
}

extension Argument {
  /// The start of a prompt in brackets, for error texts; empty if it is not text.
  fileprivate func excerpt() throws -> String {
    let prompt = try kind == .table ? withField("prompt", { try $0.promptStart() }) : promptStart()
    return prompt.isEmpty ? "" : " (prompt: \(prompt))"
  }

  /// The first 60 bytes or so of a text or of the last message, or the first token ids.
  func promptStart() throws -> String {
    if kind == .table {
      if try withElement(1, { $0.kind == .number }) { return try idsStart() }
      return try withElement(length) { last in
        last.kind == .table
          ? try last.withField("content") { $0.kind == .string ? try $0.promptStart() : "" } : ""
      }
    }
    guard kind == .string else { return "" }
    let bytes = try bytes()
    var end = min(bytes.count, 60)
    while end < bytes.count, end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return visible(Array(bytes[..<end]), keepsLines: false) + (end < bytes.count ? "…" : "")
  }

  private func idsStart() throws -> String {
    let shown = min(length, 10)
    let ids = try (1...shown).map { position in
      try withElement(position) { id in
        id.kind == .number ? try id.value().asInteger.map(String.init) ?? "?" : id.typeName
      }
    }
    return "token ids \(ids.joined(separator: ", "))" + (shown < length ? ", …" : "")
  }
}
