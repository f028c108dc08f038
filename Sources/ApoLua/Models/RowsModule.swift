// `require "apo.rows"`: maps tables to rows of a file, so that random numbers and recorded values
// follow a row wherever it is in a batch, and errors can name it.

import Lua

/// The functions over the numbers of rows.
func rowsModule(_ rows: RowNumbers) -> Module {
  let row = Parameter("row", .table, "a row of a dataset")
  return Module(
    "apo.rows", "Tracks which dataset row a table is.",
    functions: [
      Function(
        "source", "Registers a file that rows are read from.",
        [
          Parameter("file", .string, "its path"),
          Parameter("noun", .string, "what a row is called in it, such as line"),
        ],
        returns: [Returned(.integer(), "the number that `set` takes")]
      ) { call in
        try call.result(rows.source(file: call[1].string(), noun: call[2].string()))
      },
      Function(
        "set", "Stores the number of a row for as long as the row exists.",
        [
          row,
          Parameter("index", .integer(minimum: 0), "its number; nil removes it", optional: true),
          Parameter("source", .integer(minimum: 0), "the file it comes from", default: 0),
          Parameter("line", .integer(minimum: 0), "its line in the file", optional: true),
        ]
      ) { call in
        try rows.set(
          call[1], call[2].ifPresent?.integer(), source: call[3].integer(),
          line: call[4].ifPresent?.integer())
        return call.nothing
      },
      Function(
        "inherit", "Makes a table inherit another row's number.",
        [row, Parameter("other", .table, "a row of a dataset, or any other table")]
      ) { call in
        try rows.inherit(call[1], from: call[2])
        return call.nothing
      },
      Function(
        "get", "Returns the number of a row.", [row],
        returns: [Returned(.integer(), "the number, or nil")]
      ) { call in
        guard let index = try rows[call[1]] else { return try call.result(LuaValue.nil) }
        return call.result(index)
      },
      Function(
        "place", "Returns where a row was read.", [row],
        returns: [
          Returned(.string, "such as \"row 3\" or \"train.jsonl: line 3\", or nil"),
          Returned(.string, "the file; nil for rows made by a script"),
          Returned(.string, "what a row is called in it"), Returned(.integer(), "its number there"),
        ]
      ) { call in
        guard let place = try rows.place(of: call[1]) else {
          return try call.result(LuaValue.nil)
        }
        return try call.results([
          .string("\(place)"), place.file.map { .string($0) } ?? .nil, .string(place.noun),
          .integer(place.number),
        ])
      },
    ])
}
