import Glibc

// Only regular files are read. Reading a pipe could block forever, and a device has no end: both
// are refused without blocking.

/// What a path that is not a regular file is, for errors; nil for a regular file.
package func otherKind(_ mode: mode_t) -> String? {
  switch mode & S_IFMT {
  case S_IFREG: nil
  case S_IFDIR: "a folder"
  case S_IFIFO: "a pipe"
  case S_IFSOCK: "a socket"
  case S_IFCHR, S_IFBLK: "a device"
  default: "something else"
  }
}

/// Opens a regular file for reading; throws immediately for anything else.
public func openForReading(_ path: String) throws -> Int32 {
  var status = stat()
  // Checked before opening, because opening a device can have side effects.
  if stat(path, &status) == 0 { try checkIsFile(status, path) }
  var descriptor: Int32
  repeat {
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  } while descriptor < 0 && errno == EINTR
  guard descriptor >= 0 else { throw FileError(path, "cannot be opened: \(lastSystemError())") }
  do {
    guard fstat(descriptor, &status) == 0 else { throw FileError(path, lastSystemError()) }
    try checkIsFile(status, path)
  } catch {
    close(descriptor)
    throw error
  }
  return descriptor
}

private func checkIsFile(_ status: stat, _ path: String) throws {
  guard let kind = otherKind(status.st_mode) else { return }
  throw FileError(path, "is not a regular file but \(kind)")
}

/// Throws for a dangling link, which would otherwise count as a missing file.
package func checkLink(_ path: String) throws {
  var status = stat()
  guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, !fileExists(path) else {
    return
  }
  throw FileError(path, "is a link to a file that is not there")
}
