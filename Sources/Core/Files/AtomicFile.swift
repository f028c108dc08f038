import Glibc
import Synchronization

/// Atomic writes: after a crash the old or the new file exists, never a partial one.
///
/// The bytes go to a temporary file in the same folder, which is flushed to disk and then renamed
/// over the target; the folder is flushed last. The new file keeps the permissions of the old one.
/// `WriteTarget` lists what is refused. The next write removes temporary files of killed processes.
public enum AtomicFile {
  private static let counter = Atomic<Int>(0)
  /// Names of temporary files that this process has yet to rename or remove.
  package static let inFlight = Mutex<Set<String>>([])

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
    let target = try WriteTarget(path)
    if DryRun.omits(path) { return }
    removeLeftovers(in: parentFolder(target.path), of: entryName(target.path))
    let file = try stage(target, body)
    defer { discard(file) }
    try move(file, to: target)
    try flush(folder: parentFolder(target.path))
  }

  /// A file that is complete and on disk, under a temporary name.
  package struct Staged {
    let temporary: String
    fileprivate let identity: FileIdentity
  }

  /// Writes a file next to the target and flushes it: `move` puts it in place, `discard` deletes
  /// it.
  package static func stage(
    _ target: WriteTarget, _ body: (AtomicFileOutput) throws -> Void
  ) throws -> Staged {
    let (descriptor, temporary) = try open(beside: target)
    var isOpen = true
    do {
      try body(AtomicFileOutput(path: target.given, descriptor: descriptor))
      keepRights(of: target.old, on: descriptor)
      try flush(descriptor, target.given)
      guard let identity = FileIdentity(descriptor) else {
        throw FileError(target.given, "cannot be written: \(lastSystemError())")
      }
      isOpen = false
      // A file server may report a full disk only now.
      guard close(descriptor) == 0 || errno == EINTR else {
        throw FileError(target.given, "cannot be written: \(lastSystemError())")
      }
      return Staged(temporary: temporary, identity: identity)
    } catch {
      if isOpen { close(descriptor) }
      discard(temporary)
      throw error
    }
  }

  /// Puts a staged file in the target's place.
  package static func move(_ file: Staged, to target: WriteTarget) throws {
    guard rename(file.temporary, target.path) != 0 else { return }
    let (code, problem) = (errno, lastSystemError())
    // If a file server's reply was lost, the retry finds nothing to rename.
    guard code == ENOENT, FileIdentity(target.path) == file.identity else {
      throw FileError(target.given, "cannot be replaced: \(problem)")
    }
  }

  /// Removes a staged file, if it was not moved.
  package static func discard(_ file: Staged) { discard(file.temporary) }

  private static func discard(_ temporary: String) {
    unlink(temporary)
    _ = inFlight.withLock { $0.remove(entryName(temporary)) }
  }

  /// Throws what `write` would throw: missing folder, no write permission, something else at the
  /// path.
  public static func check(_ path: String) throws {
    let (descriptor, temporary) = try open(beside: WriteTarget(path))
    close(descriptor)
    discard(temporary)
  }

  /// A new file next to the target; skips one left by a killed process with the same number.
  private static func open(
    beside target: WriteTarget
  ) throws -> (descriptor: Int32, temporary: String) {
    let name = entryName(target.path)
    for _ in 0..<100 {
      let serial = counter.add(1, ordering: .relaxed).newValue
      let temporary = TemporaryName(target: name, serial: serial).text
      let path = "\(parentFolder(target.path))/\(temporary)"
      _ = inFlight.withLock { $0.insert(temporary) }
      let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (descriptor, path) }
      let problem = errno
      _ = inFlight.withLock { $0.remove(temporary) }
      guard problem == EEXIST || problem == EINTR else {
        throw FileError(target.given, "cannot be written: \(String(cString: strerror(problem)))")
      }
    }
    throw FileError(target.given, "cannot be written: all temporary names are taken")
  }

  /// Owner, where we may change it, and permissions; some file systems have neither.
  private static func keepRights(of old: stat?, on descriptor: Int32) {
    guard let old else { return }
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_uid != old.st_uid || status.st_gid != old.st_gid {
      _ = fchown(descriptor, old.st_uid, old.st_gid)
    }
    fchmod(descriptor, old.st_mode & 0o777)
  }

  /// Removes the temporary files in a folder, or for one target, whose process is dead or which the
  /// caller knows to be its own.
  public static func removeLeftovers(
    in folder: String, of target: String? = nil, isAlone: Bool = false
  ) {
    for entry in (try? folderEntries(folder)) ?? [] {
      guard let name = TemporaryName(entry), target.map(name.isFor) ?? true,
        !inFlight.withLock({ $0.contains(entry) })
      else { continue }
      let path = "\(folder)/\(entry)"
      if isAlone || name.isOfDeadProcess(path) { unlink(path) }
    }
  }

  /// Waits until a file's bytes are on the disk.
  package static func flush(_ descriptor: Int32, _ path: String) throws {
    while fsync(descriptor) != 0 {
      switch errno {
      case EINTR: continue
      case EINVAL, ENOSYS, EOPNOTSUPP: return  // what this file system cannot do
      default: throw FileError(path, "cannot be flushed: \(lastSystemError())")
      }
    }
  }

  /// Flushes the names in a folder to disk; skips a folder that cannot be opened.
  public static func flush(folder: String) throws {
    let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    try flush(descriptor, folder)
  }
}

/// Appends to a file that `AtomicFile` is writing.
public struct AtomicFileOutput {
  package let path: String
  package let descriptor: Int32

  /// Appends bytes.
  public func append(_ bytes: UnsafeRawBufferPointer) throws {
    try writeAll(bytes, to: descriptor, path)
  }

  /// Appends the bytes of a collection.
  public func append(_ bytes: some Collection<UInt8>) throws {
    let written: Void? = try bytes.withContiguousStorageIfAvailable {
      try append(UnsafeRawBufferPointer($0))
    }
    if written == nil { try Array(bytes).withUnsafeBytes { try append($0) } }
  }
}

/// Writes all bytes, though the system may take a part at a time; asks between parts of some
/// megabytes whether to stop.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws
{
  var rest = bytes
  while !rest.isEmpty {
    if rest.count < bytes.count, Interrupt.isRequested() { throw Interrupted.byUser }
    let count = Glibc.write(descriptor, rest.baseAddress, min(rest.count, 1 << 22))
    if count < 0, errno == EINTR { continue }
    guard count > 0 else { throw FileError(path, "cannot be written: \(lastSystemError())") }
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
}
