// The functions of `apo.system` about memory.

import Glibc
import Lua

let memoryFunctions = [
  Function(
    "memory_limit", "Runs a function and stops it if Lua holds too much memory.",
    [
      Parameter(
        "bytes", .number(minimum: 0),
        "what Lua may allocate in addition to now; math.huge for no limit"),
      Parameter("body", .function, "what to run, without arguments; its results are dropped"),
    ],
    returns: [
      Returned(.boolean, "whether it stayed within the limit"),
      Returned(.string, "where it was stopped, if it was"),
    ],
    details: "Tables, strings, functions and coroutines count; tensors and garbage do not, which "
      + "is collected before twice the limit is reached. It is stopped wherever it is, also in "
      + "`pcall` and in coroutines. Other errors pass through."
  ) { call in
    let bytes = try call[1].number()
    guard bytes < 0x1p60 else {
      try call.state.call(call[2].reference())
      return call.result(true)
    }
    let place = try call.state.withMemoryLimit(Int(bytes)) {
      try call.state.call(call[2].reference())
    }
    guard let place else { return call.result(true) }
    return try call.results([.boolean(false), .string(place)])
  }
]
