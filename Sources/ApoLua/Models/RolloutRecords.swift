// `apo.rollout`: prompts and completions from a script or from other rollouts.

import Core
import Lua
import Models

/// `apo.rollout`.
let rolloutFunction = Function(
  "rollout", "Makes a rollout of recorded prompts and completions.",
  [
    Parameter(
      "records", .list(of: .table),
      "tables with `prompt` or `prompt_ids`, and `text` or `ids`; `eos = true` appends an end token"
    ),
    Parameter(
      "options",
      .options([
        Parameter(
          "tokenizer", .object(TokenizerObject.self),
          "encodes texts now; otherwise the scoring model encodes them", optional: true),
        Parameter("eos", .boolean, "append an end token to every completion", default: false),
      ]), "see below", optional: true),
  ],
  returns: [Returned(.object(Rollout.self), "the rollout; each completion's `row` is its record")],
  details: """
    For supervised losses, evaluation and replay. Completions of other rollouts are valid records
    and keep their `temperature`, which must be the same for all (default 1), and their
    `logprobs`, one number per id. If both ids and text are given, the ids are used.
    """,
  example: #"""
    local rollout = apo.rollout{{prompt = "1+1=", text = "2", eos = true}}
    local loss = -model:logprobs(rollout):mean()   -- supervised learning
    """#
) { call in
  let options = try call[2].options()
  let tokenizer = try options["tokenizer"].ifPresent?.object(TokenizerObject.self).tokenizer
  let end = try options["eos"].boolean()
  var items: [Rollout.Item] = []
  var rows: [LuaValue] = []
  var temperature: Double?
  for position in 1..<call[1].length + 1 {
    if position % 256 == 0 { try Interrupt.check() }
    try call[1].withElement(position) { record in
      items.append(try Rollout.Item(record, at: position, end: end))
      let own = try record.temperature(at: position)
      guard own == temperature ?? own else {
        throw recordError(
          position,
          "the temperature is \(own), but that of the earlier records is \(temperature ?? own); a "
            + "rollout has one temperature")
      }
      temperature = own
      rows.append(.reference(try record.row()))
    }
  }
  let rollout = Rollout(items, temperature: temperature ?? 1, tokenizer: tokenizer)
  if let tokenizer { try rollout.encode(with: tokenizer, end: tokenizer.eosID) }
  return try call.result(rollout, keeping: call.state.reference(to: .list(rows)))
}

private func recordError(_ position: Int, _ text: String) -> LuaError {
  LuaError("rollout: record \(position): \(text)")
}

extension Rollout.Item {
  fileprivate init(_ record: Argument, at position: Int, end: Bool) throws {
    let fail = { (text: String) in recordError(position, text) }
    // What a completion of another rollout has not told Lua yet is taken without Lua.
    let source = try record.lazyPart(of: Rollout.self)
    func text(_ name: String, _ own: (Rollout, Int) throws -> String?) throws -> String? {
      try record.withKnownField(name) { field in
        guard !field.isAbsent else { return try source.flatMap { try own($0.0, $0.1) } }
        guard field.kind == .string, let text = String(validating: try field.bytes(), as: UTF8.self)
        else { throw fail("field '\(name)' must be a string of UTF-8, got \(field.typeName)") }
        return text
      }
    }
    func ids(_ name: String, _ own: (Rollout.Item) -> [Int]?) throws -> [Int]? {
      try record.withKnownField(name) { field in
        guard !field.isAbsent else { return source.flatMap { own($0.0.items[$0.1]) } }
        guard field.kind == .table, let ids = try? field.integers() else {
          throw fail("field '\(name)' must be a list of token ids, got \(field.typeName)")
        }
        return ids
      }
    }
    self.init(
      promptIDs: try ids("prompt_ids", \.promptIDs),
      prompt: try text("prompt") { try $0.prompt($1) }, ids: try ids("ids", \.ids),
      text: try text("text") { try $0.text($1) },
      finishReason: try text("finish_reason") { $0.items[$1].finishReason },
      row: position, sample: 1)
    func has() throws -> String {
      try "(it has: \(record.fieldNames().joined(separator: ", ")))"
    }
    guard promptIDs != nil || prompt != nil else {
      throw fail("field 'prompt' or 'prompt_ids' is missing \(try has())")
    }
    guard self.ids != nil || self.text != nil else {
      throw fail("field 'text' or 'ids' is missing \(try has())")
    }
    let own = try record.withField("eos") { $0.kind == .boolean ? try $0.boolean() : false }
    wantsEnd = end || own
    stopReason = try record.withField("stop_reason") { field in
      guard !field.isAbsent else { return nil }
      if field.kind == .number, let id = try? field.integer() { return .token(id) }
      guard field.kind == .string else {
        throw fail(
          "field 'stop_reason' must be a stop string or the id of a stop token, got "
            + field.typeName)
      }
      return .text(try field.string())
    }
    logProbabilities = try record.logProbabilities(at: position, source)
    guard let logProbabilities else { return }
    guard let ids = self.ids, ids.count == logProbabilities.count else {
      let count = self.ids.map { "\($0.count) ids" } ?? "no ids"
      throw fail(
        "field 'logprobs' must hold one number per id, got \(logProbabilities.count) "
          + "for \(count)")
    }
    guard !wantsEnd else {
      throw fail(
        "eos = true appends a token for which 'logprobs' has no number; omit one of them")
    }
  }
}

extension Argument {
  /// The sampling temperature, 1 for a record without one.
  fileprivate func temperature(at position: Int) throws -> Double {
    try withField("temperature") { field in
      guard !field.isAbsent else { return 1 }
      guard field.kind == .number, let value = try? field.number(), value >= 1e-2, value <= 1e6
      else {
        let given = field.kind == .number ? "\(try field.number())" : field.typeName
        throw recordError(
          position, "field 'temperature' must be a number from 0.01 to 1e6, got \(given)")
      }
      return value
    }
  }

  fileprivate func logProbabilities(
    at position: Int, _ source: (Rollout, Int)?
  ) throws -> [Float]? {
    try withKnownField("logprobs") { field in
      guard !field.isAbsent else { return source.flatMap { $0.items[$1].logProbabilities } }
      guard field.kind == .table, let values = try? field.numbers().map({ Float($0) }),
        values.allSatisfy(\.isFinite)
      else {
        throw recordError(
          position, "field 'logprobs' must be a list of finite numbers, got \(field.typeName)")
      }
      return values
    }
  }

  /// The row that a record came from, or the record itself.
  fileprivate func row() throws -> LuaReference {
    try withField("row") { field in
      field.kind == .table ? try field.reference() : nil
    } ?? reference()
  }
}
