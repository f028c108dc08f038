import Glibc

/// A regular file open for reading, with its size at that time.
///
/// Not memory-mapped: truncating a mapped file, or a read error, kills the process. Here both are
/// errors.
package final class InputFile: Sendable {
  package let path: String
  package let size: Int
  private let descriptor: Int32

  package init(_ path: String) throws {
    self.path = path
    descriptor = try openForReading(path)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      close(descriptor)
      throw FileError(path, lastSystemError())
    }
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads a range of the bytes to memory; from any thread.
  package func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) throws {
    var done = 0
    while done < range.count {
      let count = pread(
        descriptor, target + done, range.count - done, off_t(range.lowerBound + done))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError(path, "cannot be read: \(lastSystemError())") }
      guard count > 0 else {
        throw FileError(
          path,
          "was shortened while it was read: it had \(size) bytes, now it ends before "
            + "\(range.upperBound)")
      }
      done += count
    }
  }

  /// Reads as much as fits from the beginning, regardless of the reported size; returns the number
  /// of bytes.
  package func readSome(_ buffer: inout [UInt8]) -> Int {
    max(0, pread(descriptor, &buffer, buffer.count, 0))
  }

  /// Calls `body` with the bytes of a range, or all; `body` must not keep them.
  package func withBytes<Result>(
    _ range: Range<Int>? = nil, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let range = range ?? 0..<size
    let needsCare = range.count > 1 << 26
    guard !needsCare || range.count < Memory.usableBytes(), let start = malloc(max(1, range.count))
    else { throw FileError(path, "\(range.count / 1_000_000) MB of memory are needed to read it") }
    defer { free(start) }
    try read(range, into: start)
    return try body(UnsafeRawBufferPointer(start: start, count: range.count))
  }
}

/// The text of `errno`.
package func lastSystemError() -> String { String(cString: strerror(errno)) }

/// Whether there is something at the path.
public func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }
