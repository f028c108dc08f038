// A line typed at the terminal, for programs of the library that talk to somebody.

import CLineEditor
import Lua

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

// The line editor is one per process and calls back without context.
nonisolated(unsafe) private var words: [String] = []
nonisolated(unsafe) private var matches: ArraySlice<String> = []
nonisolated(unsafe) private var isOpen = false

/// `apo.sockets.read_line`.
let readLineFunction = Function(
  "read_line", "Reads a line from the terminal, with editing and history.",
  [
    Parameter("prompt", .string, "what is shown before it"),
    Parameter("words", .list(of: .string), "what Tab completes", default: []),
  ],
  returns: [
    Returned(.string, "the line; nil at the end of input"),
    Returned(.boolean, "whether Ctrl-C was typed"),
  ]
) { call in
  words = try call[2].value().asTable?.list.compactMap(\.asString) ?? []
  if !isOpen {
    isOpen = true
    cle_open("apo-lua") { text, next in
      guard let text else { return nil }
      let start = String(cString: text)
      if next == 0 { matches = words.filter { $0.hasPrefix(start) }[...] }
      return matches.popFirst().flatMap { strdup($0) }
    }
  }
  fflush(nil)
  var isInterrupted = false
  guard let line = cle_read_line(try call[1].string(), &isInterrupted) else {
    return try call.results([.nil, .boolean(isInterrupted)])
  }
  defer { free(line) }
  let text = Array(UnsafeRawBufferPointer(start: line, count: strlen(line)))
  if !text.isEmpty { _ = cle_remember(String(decoding: text, as: UTF8.self), nil) }
  return try call.result(LuaValue(bytes: text))
}
