// Standard error, without the C library's global variables, which Swift 6 calls unsafe.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes text to standard error after flushing standard output.
func writeError(_ text: String) { writeError(Array(text.utf8)) }

/// Writes bytes to standard error, as they are.
func writeError(_ bytes: [UInt8]) {
  fflush(nil)
  bytes.withUnsafeBytes { bytes in
    var rest = bytes
    while !rest.isEmpty {
      let count = write(STDERR_FILENO, rest.baseAddress, rest.count)
      guard count > 0 else { return }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
  }
}
