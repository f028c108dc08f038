// What `apo.system` has for functions that may be stopped: by a signal, a limit of time, an error.

import Glibc
import Lua

let stopFunctions = [
  Function(
    "on_interrupt",
    "Runs a function; when Ctrl-C, SIGTERM or SIGHUP stops it, runs another before it stops the "
      + "rest.",
    [
      Parameter("body", .function, "what to run"),
      Parameter("cleanup", .function, "what to run when it was stopped"),
    ],
    details: "Other errors pass through. A second signal ends the process at once, also while the "
      + "clean-up runs."
  ) { call in
    try run(call) { kind, _ in kind == "signal" ? [] : nil }
  },
  Function(
    "on_failure",
    "Runs a function; when an error, a signal or a limit of time ends it, runs another before "
      + "the error goes on.",
    [
      Parameter("body", .function, "what to run"),
      Parameter(
        "cleanup", .function,
        "gets what it was, `error`, `signal` or `time`, and the error; its own errors are dropped"),
    ],
    details: "The clean-up is stopped neither by a limit of time nor by a first signal."
  ) { call in
    try run(call) { kind, error in
      [.string(kind), error.value.map { .reference($0) } ?? .string(error.message)]
    }
  },
  Function(
    "hold_stop", "Makes a first signal wait until it is released.",
    [Parameter("hold", .boolean, "whether it waits; false after true releases it")],
    details: "For what must not be left half done. A second signal ends the process all the same."
  ) { call in
    try call.state.holdStop(call[1].boolean())
    return call.nothing
  },
  Function(
    "time_limit", "Runs a function, and stops it when it takes too long.",
    [
      Parameter("seconds", .number(minimum: 0), "wall clock; math.huge for no limit"),
      Parameter("body", .function, "what to run; it gets nothing, and what it gives is dropped"),
      Parameter("label", .string, "what it is, in case it gets stuck", default: "a function"),
      Parameter(
        "describe", .function,
        "gets the error that the function raised, gives the one that goes on in its place, with "
          + "the same traceback", optional: true),
    ],
    returns: [
      Returned(.boolean, "whether it ended in time"),
      Returned(.string, "where it was stopped, when it was"),
    ],
    details: "Loops are stopped wherever they are, also in `pcall` and in coroutines; in a "
      + "finalizer, a message handler and a debug hook a second later. A single "
      + "call of a compiled function such as `string.find` is not, and a line on standard error "
      + "says so by the label. Other errors pass through."
  ) { call in
    let error: LuaError?
    do {
      error = try call.state.withTimeLimit(
        call[1].number(), label: visible(call[3].string(), keepsLines: false)
      ) {
        try call.state.call(call[2].reference())
      }
    } catch let error as LuaError {
      throw try described(error, call)
    }
    guard let error else { return call.result(true) }
    let place = error.message.split(separator: ": ").dropLast().joined(separator: ": ")
    return try call.results([.boolean(false), .string(place)])
  },
]

/// Runs the first argument; when it fails, and `arguments` gives some for what happened, the second
/// with these.
private func run(
  _ call: Call, _ arguments: (String, LuaError) -> [LuaValue]?
) throws -> Results {
  do {
    try call.state.call(call[1].reference())
    return call.nothing
  } catch let error as LuaError {
    let isStopped = LuaState.isInterrupted
    let kind = LuaState.stopSignal != nil ? "signal" : isStopped ? "time" : "error"
    if let arguments = arguments(kind, error) {
      let cleanup = try call[2].reference()
      _ = call.state.withoutStop { try? call.state.call(cleanup, arguments) }
    }
    throw error
  }
}

/// The error as the fourth argument has it; as it is where that is not given or fails.
private func described(_ error: LuaError, _ call: Call) throws -> LuaError {
  guard !LuaState.isInterrupted, let describe = call[4].ifPresent, let value = error.value,
    let new = try? call.state.callKeepingResults(describe.reference(), [.reference(value)]).first
  else { return error }
  return error.raising(new)
}
