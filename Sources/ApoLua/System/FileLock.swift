// An exclusive lock across processes: `apo.system.lock`.

import Core
import Glibc
import Lua
import Models

/// A file that is locked for as long as the object lives (flock(2)).
final class FileLock: LuaObject {
  static let luaName = "apo.FileLock"
  private let path: String
  private let folder: String
  private let folderIdentity: FileIdentity?
  private var descriptor: Int32

  /// Locks the file at a path, creating it if missing; nil if the lock is already held.
  ///
  /// On a file system without locks it has no effect. Throws if the file cannot be opened.
  init?(_ path: String) throws {
    self.path = path
    folder = parentFolder(path)
    descriptor = -1
    folderIdentity = FileIdentity(folder)
    guard let descriptor = try Self.lock(path) else { return nil }
    self.descriptor = descriptor
  }

  /// An open, locked file; nil if the lock is already held.
  private static func lock(_ path: String) throws -> Int32? {
    for _ in 0..<100 {
      let descriptor = try openLockFile(path)
      guard try isLocked(descriptor, path) else {
        close(descriptor)
        return nil
      }
      // It may have been removed between the two calls; the lock is then on a deleted file.
      if FileIdentity(path) == FileIdentity(descriptor) { return descriptor }
      close(descriptor)
    }
    throw LuaError("\(path): is repeatedly removed by another program")
  }

  private static func openLockFile(_ path: String) throws -> Int32 {
    _ = try WriteTarget(path)
    var descriptor: Int32
    repeat {
      descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o666)
    } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw systemError(path) }
    return descriptor
  }

  /// Tries for 50 ms: whoever asks `isHeld` holds a lock for a moment.
  private static func isLocked(_ descriptor: Int32, _ path: String) throws -> Bool {
    var attempts = 0
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK where attempts < 10:
        attempts += 1
        usleep(5_000)
      case EWOULDBLOCK: return false
      case ENOLCK, ENOSYS, EOPNOTSUPP: return true
      default:
        defer { close(descriptor) }
        throw systemError(path)
      }
    }
    return true
  }

  /// Whether somebody holds the lock of a file; false where there is no such file or it cannot be
  /// read.
  static func isHeld(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// Throws if the folder of the file was replaced; a removed lock file is recreated.
  func check() throws {
    guard let now = FileIdentity(folder), now == folderIdentity else {
      throw LuaError("\(shown(folder)): was removed or replaced while it was written to")
    }
    guard FileIdentity(path) != FileIdentity(descriptor) else { return }
    guard let other = try Self.lock(path) else {
      throw LuaError("\(shown(path)): was replaced, and another program now holds the lock")
    }
    close(descriptor)
    descriptor = other
  }

  // The kernel releases the lock with the last descriptor, even if the process is killed.
  deinit { if descriptor >= 0 { close(descriptor) } }
}

let fileLockClass = Class(
  FileLock.self,
  "A lock on a file, held until `free`, the end of a `<close>` scope, or process exit.",
  methods: [
    Function(
      "check", "Raises an error if the folder of the file was removed or replaced.",
      details: "If only the file was removed, it is recreated and locked again."
    ) { call in
      try call.this(FileLock.self).check()
      return call.nothing
    },
    Function("__tostring", "What it is.", returns: [Returned(.string, "its name")]) { call in
      call.result(FileLock.luaName)
    },
  ])

let lockFunction = Function(
  "lock", "Locks a file, to exclude other processes.",
  [Parameter("path", .string, "the file; created if missing, and kept")],
  returns: [Returned(.object(FileLock.self), "the lock, held until it is freed or collected")],
  details: "Does not wait: returns nil and a message if the lock is already held, even by this "
    + "process under another path. On a file system without locks it has no effect."
) { call in
  let path = try call.path()
  guard let lock = try FileLock(path) else {
    return call.failure(
      "\(shown(path)): is locked by another program or call")
  }
  return try call.result(lock)
}

let isLockedFunction = Function(
  "is_locked", "Whether a process holds the lock of a file, which stays as it is.",
  [Parameter("path", .string, "the file")],
  returns: [Returned(.boolean, "false also where there is no such file")]
) { call in
  call.result(FileLock.isHeld(try call.path()))
}
