import Glibc
import Synchronization

/// Writes files so that after a crash the old file or the new one is there, never a part of it.
///
/// The bytes go to a temporary file in the same folder, which is flushed to the disk and then
/// renamed over the target; the folder is flushed last. A symbolic link at the path is replaced,
/// not followed. Temporary files of processes that were killed are removed by the next write.
public enum AtomicFile {
  private static let counter = Atomic<Int>(0)
  /// Names of temporary files that this process has yet to rename or remove.
  private static let inFlight = Mutex<Set<String>>([])

  /// Writes bytes to a file.
  public static func write(_ path: String, _ bytes: some Collection<UInt8>) throws {
    try write(path) { try $0.append(bytes) }
  }

  /// Writes a text as UTF-8 to a file.
  public static func write(_ path: String, _ text: String) throws {
    try write(path, text.utf8)
  }

  /// Writes a file piece by piece; when `body` throws, the old file stays.
  public static func write(_ path: String, _ body: (AtomicFileOutput) throws -> Void) throws {
    removeLeftovers(in: parentFolder(path), of: name(of: path))
    let temporary = try stage(path, body)
    defer { discard(temporary) }
    try move(temporary, to: path)
    flush(folder: parentFolder(path))
  }

  /// Writes a file beside the target and flushes it: `move` puts it in its place, `discard` gives it up.
  static func stage(_ path: String, _ body: (AtomicFileOutput) throws -> Void) throws -> String {
    let (descriptor, temporary) = try open(beside: path, in: parentFolder(path))
    defer { close(descriptor) }
    do {
      try body(AtomicFileOutput(path: path, descriptor: descriptor))
      guard fsync(descriptor) == 0 else {
        throw FileError(path, "cannot be flushed: \(lastSystemError())")
      }
    } catch {
      discard(temporary)
      throw error
    }
    return temporary
  }

  /// Puts a staged file in the target's place.
  static func move(_ temporary: String, to path: String) throws {
    guard rename(temporary, path) == 0 else {
      throw FileError(path, "cannot be replaced: \(lastSystemError())")
    }
  }

  /// Removes a staged file, if it was not moved.
  static func discard(_ temporary: String) {
    unlink(temporary)
    _ = inFlight.withLock { $0.remove(name(of: temporary)) }
  }

  /// Removes the temporary files in a folder, or those for one target, whose process is dead.
  static func removeLeftovers(in folder: String, of target: String? = nil) {
    for name in (try? folderEntries(folder)) ?? [] {
      guard let match = name.wholeMatch(of: /\.(.+)\.(\d+)-\d+\.tmp/),
        target == nil || match.1 == target ?? "", let process = pid_t(match.2)
      else { continue }
      let isDead =
        process == getpid()
        ? !inFlight.withLock { $0.contains(name) } : kill(process, 0) != 0 && errno == ESRCH
      if isDead { unlink("\(folder)/\(name)") }
    }
  }

  /// Throws what `write` would: there is no folder, no right to write, a folder of that name.
  public static func check(_ path: String) throws {
    var status = stat()
    let isFolder = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    guard !path.isEmpty, !isFolder else {
      throw FileError(path, path.isEmpty ? "the path is empty" : "is a folder")
    }
    let (descriptor, temporary) = try open(beside: path, in: parentFolder(path))
    close(descriptor)
    discard(temporary)
  }

  /// A new file beside the target; one that a killed process of the same number left is passed over.
  private static func open(
    beside path: String, in folder: String
  ) throws -> (descriptor: Int32, temporary: String) {
    for _ in 0..<100 {
      let serial = counter.add(1, ordering: .relaxed).newValue
      let temporary = "\(folder)/.\(name(of: path)).\(getpid())-\(serial).tmp"
      _ = inFlight.withLock { $0.insert(name(of: temporary)) }
      let descriptor = Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (descriptor, temporary) }
      let isTaken = errno == EEXIST
      _ = inFlight.withLock { $0.remove(name(of: temporary)) }
      if !isTaken { break }
    }
    throw FileError(path, "cannot be written: \(lastSystemError())")
  }

  /// The rename itself must reach the disk; a file system that cannot flush folders is let be.
  static func flush(folder: String) {
    let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  private static func name(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return path }
    return String(path[path.index(after: slash)...])
  }
}

/// The open end of a file that `AtomicFile` is writing.
public struct AtomicFileOutput {
  let path: String
  let descriptor: Int32

  /// Appends bytes.
  public func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileError(path, "cannot be written: \(lastSystemError())") }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Appends the bytes of a collection.
  public func append(_ bytes: some Collection<UInt8>) throws {
    let written: Void? = try bytes.withContiguousStorageIfAvailable {
      try append(UnsafeRawBufferPointer($0))
    }
    if written == nil { try Array(bytes).withUnsafeBytes { try append($0) } }
  }
}
