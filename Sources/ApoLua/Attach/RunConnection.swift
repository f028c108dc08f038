// The side of whoever attaches to a run: lines to it and from it.

import CProcess
import Core
import Glibc
import Lua

/// A connection to a live run; it waits, and Ctrl-C ends the waiting.
final class RunConnection: LuaObject {
  static let luaName = "apo.RunConnection"

  private let descriptor: Int32
  private var input: [UInt8] = []
  private var hasEnded = false

  /// Connects to the run that is recorded in a folder; nil if it has no socket that listens.
  ///
  /// - Throws: if the run is another user's.
  init?(folder: String) throws {
    var status = stat()
    guard stat(folder, &status) == 0 else { throw systemError(folder) }
    guard status.st_uid == geteuid() || geteuid() == 0 else {
      throw LuaError(
        "\(shown(folder)): is a run of user \(status.st_uid); only that user may attach to it")
    }
    for path in try SocketPath.candidates(forRun: folder) {
      if let descriptor = try Self.connect(to: path) {
        self.descriptor = descriptor
        return
      }
    }
    return nil
  }

  deinit { close(descriptor) }

  /// Tries for five seconds where too many others connect at the same time.
  private static func connect(to path: String) throws -> Int32? {
    for _ in 0..<250 {
      if let descriptor = SocketListener.connect(to: path) { return descriptor }
      guard errno == EAGAIN else { return nil }
      usleep(20_000)
      try Interrupt.check()
    }
    throw LuaError("\(shown(path)): does not answer; too many others connect to it")
  }

  /// Sends a line.
  func send(_ line: [UInt8]) throws {
    var rest = line[...] + [UInt8(ascii: "\n")]
    while !rest.isEmpty {
      try Interrupt.check()
      let count = rest.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count > 0 { rest = rest.dropFirst(count) }
      guard count < 0, errno != EINTR else { continue }
      guard errno == EAGAIN else { throw LuaError("the run has ended") }
      try wait(for: POLLOUT, until: .infinity)
    }
  }

  /// A line; nil where none comes in time, or no more does.
  func receive(seconds limit: Double) throws -> [UInt8]? {
    let end = seconds(CLOCK_MONOTONIC) + limit
    while true {
      if let place = input.firstIndex(of: UInt8(ascii: "\n")) {
        defer { input.removeSubrange(...place) }
        return Array(input[..<place])
      }
      guard !hasEnded, try wait(for: POLLIN, until: end) else { return nil }
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = read(descriptor, &buffer, buffer.count)
      if count > 0 { input += buffer[..<count] }
      hasEnded = count == 0 || count < 0 && errno != EAGAIN && errno != EINTR
    }
  }

  var isOpen: Bool { !hasEnded }

  /// Whether the connection is ready in time.
  @discardableResult
  private func wait(for events: Int32, until end: Double) throws -> Bool {
    while true {
      try Interrupt.check()
      let left = end - seconds(CLOCK_MONOTONIC)
      var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      let count = poll(&entry, 1, Int32(max(0, min(left, 1) * 1000)))
      if count > 0 { return true }
      if left <= 0 { return false }
    }
  }
}
