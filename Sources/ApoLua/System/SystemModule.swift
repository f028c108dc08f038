// `apo.system`: process and terminal functions for the script library. Files are in
// SystemFiles.swift, signals and time limits in SystemStops.swift, databases in SQLite.swift.

import Core
import Glibc
import Lua
import Tensors
import Text

/// `apo.system`.
let systemModule = Module(
  "apo.system", "Clocks, memory, the terminal and files.",
  functions: processFunctions + stopFunctions + memoryFunctions + terminalFunctions + textFunctions
    + fileFunctions + [startFunction],
  classes: [fileLockClass, databaseClass, processClass])

private let processFunctions = [
  Function(
    "clock", "Returns seconds of a monotonic clock.",
    returns: [Returned(.number(), "seconds")]
  ) { $0.result(seconds(CLOCK_MONOTONIC)) },
  Function(
    "time", "Returns seconds since 1970, with fraction.", returns: [Returned(.number(), "seconds")]
  ) { $0.result(seconds(CLOCK_REALTIME)) },
  Function(
    "sleep", "Waits; Ctrl-C and a limit of time end it.",
    [Parameter("seconds", .number(minimum: 0), "how long")]
  ) { call in
    let end = try seconds(CLOCK_MONOTONIC) + call[1].number()
    while seconds(CLOCK_MONOTONIC) < end {
      try Interrupt.check()
      usleep(UInt32(min(20_000, max(1, (end - seconds(CLOCK_MONOTONIC)) * 1e6))))
    }
    return call.nothing
  },
  Function(
    "memory", "Returns the memory use of the process.",
    returns: [
      Returned(.integer(), "bytes in use now"), Returned(.integer(), "peak bytes in use"),
    ]
  ) { try $0.results([.integer(residentBytes()), .integer(peakBytes())]) },
  Function(
    "free_space", "Returns how much can still be written to a folder's file system.",
    [Parameter("path", .string, "the folder")],
    returns: [Returned(.integer(), "bytes, or nil if there is no such folder")]
  ) { call in
    var status = statvfs()
    guard try statvfs(call.path(), &status) == 0 else { return try call.result(LuaValue.nil) }
    return call.result(Int(status.f_bavail) * Int(status.f_frsize))
  },
  Function(
    "cores", "Returns the number of available processor cores.",
    returns: [Returned(.integer(), "the number")]
  ) { $0.result(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) },
  Function(
    "hash", "Returns a 64-bit hash of a text (FNV-1a).",
    [Parameter("text", .string, "the text")],
    returns: [Returned(.string, "16 hexadecimal digits")]
  ) { call in
    let bytes = try call[1].bytes()
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for block in blocks(bytes.count, size: Interrupt.interval) {
      try Interrupt.check()
      for byte in bytes[block] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
    return call.result(hash.hexadecimal(16))
  },
]

private let terminalFunctions = [
  Function(
    "is_terminal", "Returns whether a stream is a terminal.",
    [Parameter("stream", .choice(["stdin", "stdout", "stderr"]), "the stream", default: "stderr")],
    returns: [Returned(.boolean, "whether it is")]
  ) { call in
    let stream = try call[1].string()
    return call.result(isatty(stream == "stdin" ? 0 : stream == "stdout" ? 1 : 2) == 1)
  },
  Function(
    "width", "Returns the size of the terminal, or 80 columns and 24 lines without one.",
    returns: [Returned(.integer(), "columns"), Returned(.integer(), "lines")]
  ) { call in
    var size = winsize()
    let isKnown = ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return try call.results([
      .integer(isKnown ? Int(size.ws_col) : 80),
      .integer(isKnown && size.ws_row > 0 ? Int(size.ws_row) : 24),
    ])
  },
]

private let textFunctions = [
  Function(
    "visible", "Returns a text that is safe to print on a terminal.",
    [
      Parameter("text", .string, "any bytes, such as model output"),
      Parameter("keeps_lines", .boolean, "keep line breaks and tabs", default: false),
    ],
    returns: [Returned(.string, "the escaped text")],
    details: """
      Control characters, bidirectional marks and invalid UTF-8 become Lua escapes such as `\\x1B`.
      The library prints everything this way; `print` writes texts unchanged.
      """
  ) { call in
    call.result(try visible(call[1].bytes(), keepsLines: call[2].boolean()))
  },
  Function(
    "columns", "Returns how many columns of a terminal a text takes.",
    [Parameter("text", .string, "as `visible` returns it")],
    returns: [Returned(.integer(), "columns")],
    details: "East Asian wide characters and emoji take two, combining marks none."
  ) { call in
    call.result(displayWidth(try call[1].string()))
  },
  Function(
    "excerpt", "Returns the beginning of a text that fits into some columns of a terminal.",
    [
      Parameter("text", .string, "as `visible` returns it"),
      Parameter("columns", .integer(minimum: 0), "how many columns there are"),
    ], returns: [Returned(.string, "the text, ending in `…` if it was too long")]
  ) { call in
    call.result(excerpt(try call[1].string(), columns: try call[2].integer()))
  },
]

/// The time of a clock.
func seconds(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The second number of /proc/self/statm, in pages; 0 without that file.
func residentBytes() -> Int {
  guard let text = try? readFile("/proc/self/statm") else { return 0 }
  let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
  return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
}

private func peakBytes() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss * 1024
}
