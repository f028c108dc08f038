// What scripts pass as prompts: rows with a `prompt`, texts, lists of token ids, one or several.

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
    let isIDs = try argument.withElement(1) { $0.kind == .number }
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
          "a row with a prompt, a string or a list of token ids expected, got "
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
    return try argument.withField("prompt") { field in
      switch field.kind {
      case .string: return try text(field, row: argument)
      case .table: return try ids(field, row: argument)
      case .none, .nil:
        let names = try argument.fieldNames().joined(separator: ", ")
        throw LuaError("field 'prompt' is missing (row has: \(names.isEmpty ? "nothing" : names))")
      default:
        throw LuaError(
          "field 'prompt' must be a string or a list of token ids, got \(field.typeName)")
      }
    }
  }

  private func text(_ argument: Argument, row: Argument?) throws -> Prompt {
    let text = try argument.string()
    let ids = try model.requireTokenizer(for: "a text").encode(utf8: argument.bytes())
    return try make(ids, text: text, row: row) { .string(text) }
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
