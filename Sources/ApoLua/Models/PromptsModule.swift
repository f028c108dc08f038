// `require "apo.prompts"`: checks the prompts of a data set before anything is sampled.

import Core
import Lua
import Models
import Tensors

/// The check of prompts, for the script library.
func promptsModule(_ rows: RowNumbers) -> Module {
  Module(
    "apo.prompts", "Checks prompts before anything is sampled.",
    functions: [
      Function(
        "check", "Encodes the prompts of some rows.",
        [
          Parameter("model", .object(Model.self), "the model whose tokenizer and context are used"),
          Parameter("rows", .table, "a list of rows"),
          Parameter("first", .integer(minimum: 1), "the first position"),
          Parameter("last", .integer(minimum: 0), "the last position"),
          Parameter("max_tokens", .integer(minimum: 1), "maximum length of a completion"),
        ],
        returns: [
          Returned(
            .list(of: .table),
            "`position`, `text` and whether it is `overlong`, for each unusable prompt")
        ]
      ) { call in
        let reader = PromptReader(model: try call[1].object(Model.self), rows: rows)
        let maxTokens = try call[5].integer()
        var faults: [LuaValue] = []
        for position in try call[3].integer()..<max(call[3].integer(), call[4].integer() + 1) {
          try Interrupt.check()
          let fault = try call[2].withElement(position) { try reader.fault($0, maxTokens) }
          guard let fault else { continue }
          faults.append(
            .table(
              LuaTable(fields: [
                ("position", .integer(position)), ("text", .string(fault.text)),
                ("overlong", .boolean(fault.isOverlong)),
              ])))
        }
        return try call.result(LuaValue.table(LuaTable(list: faults)))
      },
      Function(
        "excerpt", "Returns the start of a prompt, safe to print on a terminal.",
        [Parameter("prompt", .any, "a text, messages, or anything else")],
        returns: [Returned(.string, "one line; empty if it is not text")]
      ) { call in call.result(try call[1].promptStart()) },
    ])
}
