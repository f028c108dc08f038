import Glibc

// What is read is a regular file. A pipe would be waited for, perhaps for ever, and a device has no
// end: both are refused, and opening them waits for nothing.

/// What something that is no regular file is, in words for errors; nil for a regular file.
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

/// Opens a regular file for reading; throws at once where there is something else.
public func openForReading(_ path: String) throws -> Int32 {
  var status = stat()
  // A look before the opening: opening a device can do something by itself.
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

/// Throws where a path is a link to something that is not there: without this the file would pass
/// for missing.
package func checkLink(_ path: String) throws {
  var status = stat()
  guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, !fileExists(path) else {
    return
  }
  throw FileError(path, "is a link to a file that is not there")
}
