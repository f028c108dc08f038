// What scripts pass as prompts: rows with a `prompt`, texts, lists of token ids, lists of messages,
// one or several.

import Lua
import Models
import Tensors

/// A prompt for the sampler.
struct Prompt {
  let ids: [Int]
  let text: String?
  /// The caller's table, or one made for a text or ids.
  let row: LuaReference
  /// What the random numbers of its samples depend on.
  let key: UInt64
}

/// Reads the prompts of a call of `generate`.
struct PromptReader {
  let model: Model
  let rows: WeakIntegers

  /// One or several prompts, in order.
  func read(_ argument: Argument) throws -> [Prompt] {
    if argument.kind == .string { return [try prompt(argument, 1)] }
    guard argument.typeName != "apo.Dataset" else {
      return try argument.withField("rows", list)
    }
    let isRow = try argument.withField("prompt") { !$0.isAbsent }
    let isIDs = try argument.withElement(1) { $0.kind == .number } || argument.isMessages()
    let hasNames = try argument.length == 0 && !argument.fieldNames().isEmpty
    return isRow || isIDs || hasNames ? [try prompt(argument, 1)] : try list(argument)
  }

  private func list(_ argument: Argument) throws -> [Prompt] {
    guard argument.length > 0 else { throw LuaError("generate: there are no prompts") }
    var prompts: [Prompt] = []
    for position in 1..<argument.length + 1 {
      prompts.append(try argument.withElement(position) { try prompt($0, position) })
    }
    return prompts
  }

  private func prompt(_ argument: Argument, _ position: Int) throws -> Prompt {
    do {
      switch argument.kind {
      case .string: return try text(argument, row: nil)
      case .table: return try table(argument)
      default:
        throw LuaError(
          "a row with a prompt, a string, a list of token ids or a list of messages expected, got "
            + argument.typeName)
      }
    } catch {
      throw LuaError("generate: prompt \(position): \(error)")
    }
  }

  private func table(_ argument: Argument) throws -> Prompt {
    if try argument.withElement(1, { $0.kind == .number }) {
      return try ids(argument, row: nil)
    }
    if try argument.isMessages() { return try messages(argument, row: nil) }
    return try argument.withField("prompt") { field in
      switch field.kind {
      case .string: return try text(field, row: argument)
      case .table:
        return try field.isMessages() ? messages(field, row: argument) : ids(field, row: argument)
      case .none, .nil:
        let names = try argument.fieldNames().joined(separator: ", ")
        throw LuaError("field 'prompt' is missing (row has: \(names.isEmpty ? "nothing" : names))")
      default:
        throw LuaError(
          "field 'prompt' must be a string, a list of token ids or a list of messages, got "
            + field.typeName)
      }
    }
  }

  private func text(_ argument: Argument, row: Argument?) throws -> Prompt {
    let text = try argument.string()
    let ids = try model.requireTokenizer(for: "a text").encode(utf8: argument.bytes())
    return try make(ids, text: text, row: row) { .string(text) }
  }

  /// Messages go through the chat template: an answer is asked for, or the assistant's last message
  /// goes on. A row's `tools` and `chat_template_kwargs` reach the template, as in TRL.
  private func messages(_ argument: Argument, row: Argument?) throws -> Prompt {
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
    let given = LuaValue.reference(try argument.reference())
    return try make(ids, text: text, row: row) { given }
  }

  private func ids(_ argument: Argument, row: Argument?) throws -> Prompt {
    let ids = try argument.integers()
    let vocabulary = model.transformer.configuration.vocabularySize
    if let wrong = ids.first(where: { $0 < 0 || $0 >= vocabulary }) {
      throw LuaError("token id \(wrong) is outside of 0..\(vocabulary - 1)")
    }
    return try make(ids, text: nil, row: row) { .list(ids.map { .integer($0) }) }
  }

  private func make(
    _ ids: [Int], text: String?, row: Argument?, _ field: () -> LuaValue
  ) throws -> Prompt {
    guard !ids.isEmpty else { throw LuaError("it has no tokens; at least one expected") }
    let index = try row.flatMap { try rows[$0] }
    let key = index.map { UInt64($0) } ?? hash(ids)
    let reference: LuaReference
    if let row {
      reference = try row.reference()
    } else {
      let state = rows.state
      reference = try state.reference(
        to: .table(LuaTable(fields: [(name: "prompt", value: field())])))
    }
    return Prompt(ids: ids, text: text, row: reference, key: key)
  }

  /// A key of its own for prompts that are no rows of a dataset.
  private func hash(_ ids: [Int]) -> UInt64 {
    ids.reduce(1) { mix($0, UInt64(bitPattern: Int64($1))) } | 1 << 63
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
