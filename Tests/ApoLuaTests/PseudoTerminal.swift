// A terminal that a test types into.

import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// `apo-lua` in a terminal of its own.
final class PseudoTerminal {
  private let process = Process()
  private let main: Int32
  private(set) var transcript = ""

  /// Starts the program with arguments; `history` is its history file.
  init(
    history: String, rows: UInt16 = 24, columns: UInt16 = 80, arguments: [String] = []
  ) throws {
    var (main, side): (Int32, Int32) = (0, 0)
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    guard openpty(&main, &side, nil, nil, &size) == 0 else {
      throw CocoaError(.fileReadUnknown)
    }
    self.main = main
    let handle = FileHandle(fileDescriptor: side, closeOnDealloc: true)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/setsid")
    process.arguments = ["--ctty", "--wait", Binary.url.path] + arguments
    var variables = ProcessInfo.processInfo.environment
    variables["APO_HISTORY"] = history
    variables["TERM"] = "xterm"
    variables["NO_COLOR"] = "1"
    process.environment = variables
    process.standardInput = handle
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    close(main)
  }

  /// Types text; `\r` is Enter, `\u{3}` Ctrl-C, `\u{4}` Ctrl-D, `\t` Tab.
  func type(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(main, bytes, bytes.count)
  }

  /// Reads until the text appears after what was already waited for; gives what came.
  func wait(for text: String, seconds: Double = 20) -> String {
    var seen = ""
    let end = Date().addingTimeInterval(seconds)
    while !seen.contains(text), Date() < end {
      var entry = pollfd(fd: main, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 100) > 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(main, &buffer, buffer.count)
      guard count > 0 else { break }
      seen += String(decoding: buffer[..<count], as: UTF8.self)
    }
    transcript += seen
    return seen
  }

  /// Types a line and gives what the program answered until the next prompt.
  func answer(to line: String, prompt: String = "\n> ") -> String {
    type(line + "\r")
    return wait(for: prompt).replacingOccurrences(of: "\r", with: "")
  }

  /// Waits for the program's end; its exit status, or nil if it does not end.
  func status(seconds: Double = 20) -> Int32? {
    let end = Date().addingTimeInterval(seconds)
    while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.05) }
    return process.isRunning ? nil : process.terminationStatus
  }

  /// Types Ctrl-D until the program ends; its exit status, or nil if it does not end.
  ///
  /// The editor shows its prompt before it takes over the terminal: a Ctrl-D between becomes a
  /// character of the line, which Ctrl-U removes.
  func finish() -> Int32? {
    for _ in 0..<100 where process.isRunning {
      type("\u{15}\u{4}")
      _ = wait(for: "never", seconds: 0.1)
    }
    return process.isRunning ? nil : process.terminationStatus
  }
}
