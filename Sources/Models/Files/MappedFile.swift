import Glibc

/// A file mapped into memory for reading.
///
/// The size is taken when the file is opened. Whoever shortens the file afterwards takes the
/// process down with SIGBUS; that cannot be prevented here.
final class MappedFile: @unchecked Sendable {
  private let bytes: UnsafeRawBufferPointer
  private let mapping: UnsafeMutableRawPointer?

  init(_ path: String) throws {
    let descriptor = try openForReading(path)
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(path, lastSystemError()) }
    let size = Int(status.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      mapping = nil
      return
    }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else { throw FileError(path, "cannot be mapped: \(lastSystemError())") }
    mapping = start
    bytes = UnsafeRawBufferPointer(start: start, count: size)
  }

  /// Calls `body` with every byte of the file; they are not to be kept.
  ///
  /// Swift may release an object after the last time it is named, which would unmap bytes in use.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(bytes) }
  }

  /// Says that a range of the bytes was read and need not stay in memory; it may be read again all the same.
  func release(_ range: Range<Int>) {
    guard let mapping else { return }
    let page = Int(getpagesize())
    let (start, end) = ((range.lowerBound + page - 1) / page * page, range.upperBound / page * page)
    if start < end { madvise(mapping + start, end - start, MADV_DONTNEED) }
  }

  deinit {
    if let mapping { munmap(mapping, bytes.count) }
  }
}

/// The text of `errno`.
func lastSystemError() -> String { String(cString: strerror(errno)) }

/// Whether there is something at the path.
public func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }
