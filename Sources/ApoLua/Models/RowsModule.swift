// `require "apo.rows"`: which row of a file a table is, so that its random numbers and its
// recorded values belong to it wherever it stands in a batch, and errors can name it.

import Lua

/// The functions over the numbers of rows.
func rowsModule(_ rows: RowNumbers) -> Module {
  let row = Parameter("row", .table, "a row of a dataset")
  return Module(
    "apo.rows", "Tells which row of its dataset a table is.",
    functions: [
      Function(
        "source", "Announces a file that rows are read from.",
        [
          Parameter("file", .string, "its path"),
          Parameter("noun", .string, "what a row is in it, such as line"),
        ],
        returns: [Returned(.integer(), "what `set` knows it by")]
      ) { call in
        try call.result(rows.source(file: call[1].string(), noun: call[2].string()))
      },
      Function(
        "set", "Remembers the number of a row, as long as the row lives.",
        [
          row, Parameter("index", .integer(minimum: 0), "its number; nil forgets", optional: true),
          Parameter("source", .integer(minimum: 0), "the file it is from", default: 0),
          Parameter("line", .integer(minimum: 0), "where it is in the file", optional: true),
        ]
      ) { call in
        try rows.set(
          call[1], call[2].ifPresent?.integer(), source: call[3].integer(),
          line: call[4].ifPresent?.integer())
        return call.nothing
      },
      Function(
        "inherit", "Makes a table the row that another one is.",
        [row, Parameter("other", .table, "a row of a dataset, or a table that is none")]
      ) { call in
        try rows.inherit(call[1], from: call[2])
        return call.nothing
      },
      Function(
        "get", "Gives the number of a row.", [row],
        returns: [Returned(.integer(), "the number; nil when there is none")]
      ) { call in
        guard let index = try rows[call[1]] else { return try call.result(LuaValue.nil) }
        return call.result(index)
      },
      Function(
        "place", "Tells where a row was read.", [row],
        returns: [
          Returned(.string, "such as \"row 3\" or \"train.jsonl: line 3\"; nil when there is none"),
          Returned(.string, "the file; nil for rows that a script gave"),
          Returned(.string, "what a row is in it"), Returned(.integer(), "the number of that"),
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
