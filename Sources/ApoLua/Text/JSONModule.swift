// `apo.json`: JSON texts, files and files of lines for scripts.

import Core
import Lua
import Models
import Text

private let keepNull = Parameter(
  "keep_null", .boolean, "whether null members become `apo.json.null`", default: false)
private let reading = Parameter("options", .options([keepNull]), "see below", optional: true)
private let path = Parameter("path", .string, "the file")

/// `apo.json`.
let jsonModule = Module(
  "apo.json", "Reads and writes JSON.",
  details: """
    Integers and floats keep their type. `null` members of objects are dropped, so `row.x` is nil; \
    in lists they are `apo.json.null`. An empty table is written as `[]`.
    """,
  functions: [
    Function(
      "encode", "Converts a value to JSON text.",
      [
        Parameter("value", .any, "nil, booleans, numbers, strings, tables of them"),
        Parameter(
          "options",
          .options([
            Parameter("pretty", .boolean, "whether to indent by two spaces", default: false),
            Parameter(
              "order", .list(of: .string), "keys that come first, in this order", default: []),
            Parameter(
              "lossy", .boolean, "whether to replace bytes that are not UTF-8", default: false),
          ]), "see below", optional: true),
      ],
      returns: [Returned(.string, "the text; keys are sorted by their bytes")],
      example: #"apo.json.encode{b = {1, 2.5}, a = "x"}  --> {"a":"x","b":[1,2.5]}"#
    ) { call in
      let options = try call[2].options()
      let encoder = JSONEncoder(isLossy: try options["lossy"].boolean())
      let json = try encoder.encode(call[1].value())
      let first = try options["order"].value().asTable?.list.compactMap(\.asString) ?? []
      return call.result(try json.text(pretty: options["pretty"].boolean(), first: first))
    },
    Function(
      "decode", "Parses a JSON text.", [Parameter("text", .string, "the text"), reading],
      returns: [Returned(.any, "the value")]
    ) { call in
      let keep = try call[2].options()["keep_null"].boolean()
      return try call.result(
        LuaValue(
          JSON.parse(call[1].validText("decode: the text"), deepest: LuaState.depthLimit),
          keepingNull: keep))
    },
    Function(
      "read", "Reads a file that holds one JSON value.", [path, reading],
      returns: [Returned(.any, "the value")]
    ) { call in
      let keep = try call[2].options()["keep_null"].boolean()
      return try call.result(
        LuaValue(
          JSON.read(call.path(), deepest: LuaState.depthLimit), keepingNull: keep))
    },
    Function(
      "write", "Writes a value as an indented JSON file, atomically.",
      [path, Parameter("value", .any, "the value")]
    ) { call in
      let json = try JSONEncoder().encode(call[2].value())
      try AtomicFile.write(call.path(), json.text(pretty: true) + "\n")
      return call.nothing
    },
    Function(
      "read_lines", "Iterates over a file with one JSON value per line.",
      [path, reading],
      returns: [Returned(.any, "an iterator of value and line number")],
      details:
        "Blank lines are skipped, a line `null` gives `apo.json.null`. A line that is not JSON "
        + "is an error with file and line.",
      example: #"for row, line in apo.json.read_lines("data.jsonl") do print(line, row.prompt) end"#
    ) { call in
      let keep = try call[2].options()["keep_null"].boolean()
      let path = try call.path()
      let reader: JSONLinesReader
      do { reader = try JSONLinesReader(path, deepest: LuaState.depthLimit) } catch {
        // Abandoned readers keep files open, possibly up to the limit.
        call.state.collectGarbage()
        reader = try JSONLinesReader(path, deepest: LuaState.depthLimit)
      }
      return try call.result(
        LuaIterator {
          guard let value = try reader.next() else { return nil }
          // A line that is null must not look like the end of the file.
          let row = try LuaValue(value, keepingNull: keep || value == .null)
          return [row, .integer(reader.line)]
        })
    },
  ],
  classes: [jsonNullClass],
  constants: [("null", .object(JSONNull()))])
