// Functions of `apo.system` for code that may be stopped by a signal, a time limit or an error.

import Glibc
import Lua

let stopFunctions = [
  Function(
    "on_interrupt",
    "Runs a function; if Ctrl-C, SIGTERM or SIGHUP stops it, runs a cleanup function before "
      + "stopping the rest.",
    [
      Parameter("body", .function, "what to run"),
      Parameter("cleanup", .function, "what to run after it was stopped"),
    ],
    details: "Other errors pass through. A second signal ends the process at once, even during "
      + "the cleanup."
  ) { call in
    try run(call) { kind, _ in kind == "signal" ? [] : nil }
  },
  Function(
    "on_failure",
    "Runs a function; if an error, a signal or a time limit ends it, runs a cleanup function "
      + "before the error propagates.",
    [
      Parameter("body", .function, "what to run"),
      Parameter(
        "cleanup", .function,
        "receives the cause, `error`, `signal` or `time`, and the error; its own errors are dropped"
      ),
    ],
    details: "Neither a time limit nor a first signal stops the cleanup."
  ) { call in
    try run(call) { kind, error in
      [.string(kind), error.value.map { .reference($0) } ?? .string(error.message)]
    }
  },
  Function(
    "hold_stop", "Defers the first signal until it is released.",
    [Parameter("hold", .boolean, "true defers signals; false releases them")],
    details:
      "For code that must not be interrupted halfway. A second signal still ends the process."
  ) { call in
    try call.state.holdStop(call[1].boolean())
    return call.nothing
  },
  Function(
    "time_limit", "Runs a function and stops it if it takes too long.",
    [
      Parameter("seconds", .number(minimum: 0), "wall-clock time; math.huge for no limit"),
      Parameter("body", .function, "what to run, without arguments; its results are dropped"),
      Parameter("label", .string, "its name, in case it gets stuck", default: "a function"),
      Parameter(
        "describe", .function,
        "receives the function's error and returns the one to raise instead, with the same "
          + "traceback", optional: true),
    ],
    returns: [
      Returned(.boolean, "whether it finished in time"),
      Returned(.string, "where it was stopped, if it was"),
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

/// Runs the first argument; if it fails and `arguments` returns some for the failure, runs the
/// second with these.
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

/// The error as rewritten by the fourth argument, or unchanged if that is missing or fails.
private func described(_ error: LuaError, _ call: Call) throws -> LuaError {
  guard !LuaState.isInterrupted, let describe = call[4].ifPresent, let value = error.value,
    let new = try? call.state.callKeepingResults(describe.reference(), [.reference(value)]).first
  else { return error }
  return error.raising(new)
}
