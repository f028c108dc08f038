// The class `apo.Rollout`; `apo.rollout` is in RolloutRecords.swift. The callers' row tables are
// Lua's and lie in the object's user value.

import Lua
import Models
import Tensors

private let perToken = Parameter("t", .object(Tensor.self), "a value per token [tokens]")
private let perCompletion = [Returned(.object(Tensor.self), "a value per completion [B]")]

let rolloutClass = Class(
  Rollout.self, "Completions of prompts, sampled by a model or recorded.",
  details: """
    `#rollout` is the number of completions B, grouped by prompt. `rollout[i]` is a table: `text`,
    `ids`, `prompt`, `prompt_ids`, `row` (the caller's table), `sample` (from 1 to n),
    `finish_reason` ("eos", "stop" or "length"), `stop_reason` (the stop string, or the id of the
    stop token, if that is "stop"; otherwise nil), `temperature`; sampled ones also have `logprobs`,
    a list as long as `ids`, and `logprob`, their sum. Outside of 1..B, or -1..-B from the end, it
    is nil, so `for i, completion in ipairs(rollout)` works. A field is computed when it is read for
    the first time, so that `rollout[i].logprob` makes no list of tokens; `pairs` and printing
    compute all.

    `ids` are all sampled tokens, including the end token, the stop token and the token that
    completed a stop string; these are trained too. `text` ends before them.

    Per-token tensors concatenate the tokens of all completions, including end tokens.
    """,
  methods: [
    Function(
      "__index", "The completion at a position.",
      [Parameter("position", .any, "from 1, or from -1 at the end")],
      returns: [
        Returned(.object(named: "apo.Completion"), "the completion, in a new table; see above")
      ]
    ) { call in
      let rollout = try call.this(Rollout.self)
      guard call[1].kind == .number, let position = try? call[1].integer() else {
        throw LuaError("rollout: a position expected, got \(call[1].typeName)")
      }
      let count = rollout.items.count
      let index = position > 0 ? position - 1 : position &+ count
      guard rollout.items.indices.contains(index), position != 0 else {
        return try call.result(LuaValue.nil)
      }
      return try call.lazyPart(index)
    },
    Function("__len", "The number of completions.", returns: [Returned(.integer(), "B")]) { call in
      call.result(try call.this(Rollout.self).items.count)
    },
    Function("__tostring", "What it is.", returns: [Returned(.string, "one line")]) { call in
      call.result("apo.Rollout of \(try call.this(Rollout.self).items.count) completions")
    },
    Function(
      "slice", "Returns a range of completions.",
      [
        Parameter("first", .integer(), "the first position, from 1, or from -1 at the end"),
        Parameter("last", .integer(), "the last position", default: -1),
      ],
      returns: [
        Returned(.object(Rollout.self), "the existing ones in the range, counted as in string.sub")
      ]
    ) { call in
      let rollout = try call.this(Rollout.self)
      let count = rollout.items.count
      let ends = try (call[1].integer(), call[2].integer())
      let first = max(1, ends.0 < 0 ? ends.0 &+ count &+ 1 : ends.0)
      let last = min(count, ends.1 < 0 ? ends.1 &+ count &+ 1 : ends.1)
      let part = rollout.part(first <= last ? first - 1..<last : 0..<0)
      return try call.result(part, keeping: call.kept())
    },
    Function(
      "sum", "Sums a per-token value over each completion.", [perToken],
      returns: perCompletion
    ) { call in
      try call.result(call.this(Rollout.self).sum(call[1].object(Tensor.self)))
    },
    Function(
      "mean", "Averages a per-token value over each completion.", [perToken],
      returns: perCompletion, details: "0 for a completion without tokens."
    ) { call in
      try call.result(call.this(Rollout.self).mean(call[1].object(Tensor.self)))
    },
    Function(
      "expand", "Repeats a per-completion value for each of its tokens.",
      [Parameter("t", .object(Tensor.self), "a value per completion [B]")],
      returns: [Returned(.object(Tensor.self), "a value per token [tokens]")]
    ) { call in
      try call.result(call.this(Rollout.self).expand(call[1].object(Tensor.self)))
    },
    Function(
      "lengths", "Returns the number of tokens of each completion.",
      [
        Parameter(
          "options",
          .options([
            Parameter("prompt", .boolean, "those of the prompts instead", default: false)
          ]), "see below", optional: true)
      ],
      returns: perCompletion
    ) { call in
      let rollout = try call.this(Rollout.self)
      let isOfPrompts = try call[1].options()["prompt"].boolean()
      let lengths = try isOfPrompts ? rollout.promptLengths() : rollout.lengths()
      return try call.result(Tensor(lengths.map { Float($0) }, shape: [lengths.count]))
    },
    Function(
      "logprobs", "Returns the log-probabilities recorded by the sampler.",
      [
        Parameter(
          "options",
          .options([
            Parameter("per_token", .boolean, "a value per token instead", default: false)
          ]), "see below", optional: true)
      ],
      returns: [Returned(.object(Tensor.self), "[B], or [tokens]; without gradients")],
      details: "At the sampling temperature, before top_k, top_p and min_p. See `model:logprobs`."
    ) { call in
      let isPerToken = try call[1].options()["per_token"].boolean()
      return try call.result(
        call.this(Rollout.self).sampledLogProbabilities(perToken: isPerToken))
    },
    Function(
      "texts", "Returns the texts of all completions.",
      returns: [Returned(.list(of: .string), "the texts, empty where unknown")]
    ) { call in
      let rollout = try call.this(Rollout.self)
      return try call.result(rollout.items.indices.map { try rollout.text($0) ?? "" })
    },
  ],
  properties: [
    Property("temperature", .number(), "The sampling temperature; 1 for greedy.") {
      $0.result(try $0.this(Rollout.self).temperature)
    }
  ])

extension Rollout: LuaObject {
  /// The name in messages and in the manual.
  public static var luaName: String { "apo.Rollout" }

  /// The fields of a completion.
  static let fieldNames = [
    "text", "ids", "prompt", "prompt_ids", "row", "sample", "finish_reason", "stop_reason",
    "temperature", "logprobs", "logprob",
  ]

  /// A field of the completion at an index, but for `row`, which is Lua's.
  fileprivate func field(_ name: String, of index: Int) throws -> LuaValue {
    let item = items[index]
    switch name {
    case "text": return try text(index).map { .string($0) } ?? .nil
    case "ids": return item.ids.map { .list($0.map { .integer($0) }) } ?? .nil
    case "prompt": return try prompt(index).map { .string($0) } ?? .nil
    case "prompt_ids": return item.promptIDs.map { .list($0.map { .integer($0) }) } ?? .nil
    case "sample": return .integer(item.sample)
    case "finish_reason": return item.finishReason.map { .string($0) } ?? .nil
    case "stop_reason": return item.stopReason.map { LuaValue($0) } ?? .nil
    case "temperature": return .number(temperature)
    case "logprobs":
      return item.logProbabilities.map { .list($0.map { .number(Double($0)) }) } ?? .nil
    case "logprob": return logProbability(index).map { .number(Double($0)) } ?? .nil
    default: return .nil
    }
  }

  /// Prompts and completions for scoring; texts are encoded by the model's tokenizer.
  func sequences(for model: Model) throws -> [TokenSequence] {
    if needsEncoding {
      let tokenizer = try model.requireTokenizer(for: "logprobs: a rollout of recorded text")
      try encode(with: tokenizer, end: model.endTokens.first)
    }
    return try knownSequences()
  }

  fileprivate func sampledLogProbabilities(perToken: Bool) throws -> Tensor {
    let values = try items.indices.map { index in
      guard let values = items[index].logProbabilities else {
        throw LuaError(
          "logprobs: completion \(index + 1) was recorded and not sampled; use model:logprobs")
      }
      return values
    }
    let flat = Array(values.joined())
    let tensor = Tensor(flat, shape: [flat.count])
    return try perToken ? tensor : sum(tensor)
  }
}

extension LuaValue {
  fileprivate init(_ reason: StopReason) {
    switch reason {
    case .text(let text): self = .string(text)
    case .token(let id): self = .integer(id)
    }
  }
}

/// Makes completions tables whose fields are computed when they are read.
func openCompletions(_ state: LuaState) throws {
  try state.openLazyTables(Rollout.fieldNames) { [unowned state] owner, position, name in
    guard let rollout = owner.object(Rollout.self) else {
      throw LuaError("the rollout of this completion was freed; read \(name) before")
    }
    guard name == "row" else { return try rollout.field(name, of: position) }
    let row = try state.element(rollout.items[position].row, of: owner.kept(in: state))
    return row.map { .reference($0) } ?? .nil
  }
}
