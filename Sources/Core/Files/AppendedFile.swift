import Glibc

/// Append-only files.
public enum AppendedFile {
  /// Appends bytes and waits until they are on disk; a partial write is removed on failure.
  ///
  /// With `size`, throws unless the file has that many bytes, to detect that another program
  /// removed, replaced or truncated it; 0 also allows a missing file.
  public static func append(
    _ bytes: some Collection<UInt8>, to path: String, size: Int? = nil
  ) throws {
    let target = try WriteTarget(path)
    if let size, (target.old.map { Int($0.st_size) } ?? 0) != size {
      throw changed(path, target.old, size)
    }
    if DryRun.omits(path) { return }
    let isNew = target.old == nil
    var descriptor: Int32
    repeat {
      let flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | (isNew ? O_CREAT : 0)
      descriptor = open(target.path, flags, 0o666)
    } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw FileError(path, lastSystemError()) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw FileError(path, "is not a regular file")
    }
    if let size, Int(status.st_size) != size { throw changed(path, status, size) }
    do {
      try Array(bytes).withUnsafeBytes { try writeAll($0, to: descriptor, path) }
      try AtomicFile.flush(descriptor, path)
    } catch {
      takeBack(bytes.count, descriptor, from: Int(status.st_size))
      throw error
    }
    if isNew { try AtomicFile.flush(folder: parentFolder(target.path)) }
  }

  private static func changed(_ path: String, _ status: stat?, _ size: Int) -> FileError {
    let found = status.map { "it has \($0.st_size) bytes" } ?? "it is not there"
    return FileError(
      path, "was changed by another program: \(found), \(size) bytes were written to it")
  }

  /// Removes a partial line, unless another process has appended after it.
  private static func takeBack(_ count: Int, _ descriptor: Int32, from size: Int) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return }
    if size...size + count ~= Int(status.st_size) { ftruncate(descriptor, off_t(size)) }
  }

  /// Truncates a file.
  public static func truncate(_ path: String, to size: Int) throws {
    let target = try WriteTarget(path)
    if DryRun.omits(path) { return }
    guard Glibc.truncate(target.path, size) == 0 else { throw FileError(path, lastSystemError()) }
  }

  /// Removes what follows the last newline; returns the number of bytes removed.
  public static func dropTornLine(_ path: String) throws -> Int {
    let descriptor = try openForReading(path)
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(path, lastSystemError()) }
    let size = Int(status.st_size)
    var end = size
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while end > 0 {
      try Interrupt.check()
      let start = max(0, end - buffer.count)
      let count = pread(descriptor, &buffer, end - start, off_t(start))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError(path, "cannot be read: \(lastSystemError())") }
      guard count == end - start else { throw FileError(path, "was shortened while it was read") }
      if let newline = buffer[..<count].lastIndex(of: 10) {
        end = start + newline + 1
        break
      }
      end = start
    }
    if end < size { try truncate(path, to: end) }
    return size - end
  }
}
