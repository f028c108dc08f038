// One program that is attached to a run: what it has sent of a line, and what it has yet to read.

import CProcess
import Glibc
import Text

/// A connection, at the side of the run; reading and writing never wait.
struct AttachedClient {
  /// Bytes of a line, and of replies that wait to be read.
  static let longestLine = 1 << 16
  static let mostOutput = 1 << 18
  private static let chunk = 1 << 13

  let number: Int
  let descriptor: Int32
  private var input: [UInt8] = []
  private var isSkipping = false
  private var output: [UInt8] = []
  private var dropped = 0
  /// Requests that wait for their last reply.
  var pending = 0
  private var hasEnded = false
  /// Whether the last read found nothing.
  private var isEmpty = false
  /// Whether the connection is of no use any more.
  private(set) var isBroken = false

  init(number: Int, descriptor: Int32) {
    self.number = number
    self.descriptor = descriptor
  }

  /// Whether it sends no more and has all its replies.
  var isDone: Bool { isBroken || hasEnded && pending == 0 && output.isEmpty }

  /// Whether there may be more to read at once.
  var isReadable: Bool { !isBroken && !hasEnded && !isEmpty }

  /// What poll is to wait for. Whoever does not read its replies is not read either.
  var events: Int16 {
    let reads = !hasEnded && output.count < Self.mostOutput
    return Int16(reads ? POLLIN : 0) | Int16(output.isEmpty ? 0 : POLLOUT)
  }

  /// Reads what is there; gives whole lines, and nil for each that is too long.
  mutating func readLines() -> [[UInt8]?] {
    var buffer = [UInt8](repeating: 0, count: Self.chunk)
    let count = read(descriptor, &buffer, buffer.count)
    isEmpty = count < 0 && errno == EAGAIN
    if count < 0 {
      isBroken = errno != EAGAIN && errno != EINTR
      return []
    }
    hasEnded = count == 0  // half a line is no request
    var lines: [[UInt8]?] = []
    for piece in buffer[..<count].split(omittingEmptySubsequences: false, whereSeparator: isNewline)
      .enumerated()
    {
      if piece.offset > 0 { lines += takeLine() }
      if !isSkipping { input += piece.element }
      if input.count > Self.longestLine { (input, isSkipping) = ([], true) }
    }
    return lines
  }

  private mutating func takeLine() -> [[UInt8]?] {
    defer { (input, isSkipping) = ([], false) }
    if isSkipping { return [nil] }
    return input.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") } ? [] : [input]
  }

  /// Queues a line. One that is not a request's last reply is dropped where too many wait.
  mutating func send(_ line: [UInt8], isLast: Bool) {
    guard isLast || output.count + line.count <= Self.mostOutput else {
      dropped += 1
      return
    }
    if dropped > 0 {
      output += Array("{\"dropped\":\(dropped)}\n".utf8)
      dropped = 0
    }
    output += line
    output.append(UInt8(ascii: "\n"))
  }

  /// Writes what the other end takes.
  mutating func write() {
    guard !output.isEmpty, !isBroken else { return }
    let count = Glibc.send(descriptor, output, output.count, Int32(MSG_NOSIGNAL))
    if count > 0 { output.removeFirst(count) }
    if count < 0 { isBroken = errno != EAGAIN && errno != EINTR }
  }
}

private func isNewline(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") }
