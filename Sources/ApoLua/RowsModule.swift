// `require "apo.rows"`: which row of a file a table is, so that its random numbers and its
// recorded values belong to it wherever it stands in a batch.

import Lua

/// The functions over a table of row numbers.
func rowsModule(_ rows: WeakIntegers) -> Module {
  let row = Parameter("row", .table, "a row of a dataset")
  return Module(
    "apo.rows", "Tells which row of its dataset a table is.",
    functions: [
      Function(
        "set", "Remembers the number of a row, as long as the row lives.",
        [row, Parameter("index", .integer(minimum: 0), "its number; nil forgets", optional: true)]
      ) { call in
        try rows.set(call[1], call[2].ifPresent?.integer())
        return call.nothing
      },
      Function(
        "get", "Gives the number of a row.", [row],
        returns: [Returned(.integer(), "the number; nil when there is none")]
      ) { call in
        guard let index = try rows[call[1]] else { return try call.result(LuaValue.nil) }
        return call.result(index)
      },
    ])
}
