// A lock that one holder at a time has, among all processes: `apo.system.lock`.

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

  /// Locks the file at a path, which is made when there is none; nil when another holds the lock.
  ///
  /// On a file system that has no locks the object holds none. Throws when the file cannot be
  /// opened.
  init?(_ path: String) throws {
    self.path = path
    folder = parentFolder(path)
    descriptor = -1
    folderIdentity = FileIdentity(folder)
    guard let descriptor = try Self.lock(path) else { return nil }
    self.descriptor = descriptor
  }

  /// An open file that is locked, nil when another holds the lock.
  private static func lock(_ path: String) throws -> Int32? {
    for _ in 0..<100 {
      let descriptor = try openLockFile(path)
      guard try isLocked(descriptor, path) else {
        close(descriptor)
        return nil
      }
      // It may have been removed between the two calls: then what is locked is no longer there.
      if FileIdentity(path) == FileIdentity(descriptor) { return descriptor }
      close(descriptor)
    }
    throw LuaError("\(path): is removed again and again by another program")
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

  /// Throws unless the folder of the file is the one that it was; a lock file that was removed is
  /// made anew.
  func check() throws {
    guard let now = FileIdentity(folder), now == folderIdentity else {
      throw LuaError("\(shown(folder)): was removed or replaced while it was written to")
    }
    guard FileIdentity(path) != FileIdentity(descriptor) else { return }
    guard let other = try Self.lock(path) else {
      throw LuaError("\(shown(path)): was replaced, and another program holds the lock now")
    }
    close(descriptor)
    descriptor = other
  }

  // The kernel drops the lock with the last descriptor, so also when the process is killed.
  deinit { if descriptor >= 0 { close(descriptor) } }
}

let fileLockClass = Class(
  FileLock.self, "A lock on a file, held until `free`, the end of a `<close>` or of the process.",
  methods: [
    Function(
      "check", "Raises an error when the folder of the file was removed or replaced.",
      details: "A file that was removed alone is made and locked anew."
    ) { call in
      try call.this(FileLock.self).check()
      return call.nothing
    },
    Function("__tostring", "What it is.", returns: [Returned(.string, "its name")]) { call in
      call.result(FileLock.luaName)
    },
  ])

let lockFunction = Function(
  "lock", "Locks a file, so that one process at a time can do something.",
  [Parameter("path", .string, "the file; it is made when there is none, and stays")],
  returns: [Returned(.object(FileLock.self), "the lock; it holds until it is freed or collected")],
  details: "Does not wait: gives nil and a message when another holds the lock, be it in this "
    + "process, under whatever name. On a file system without locks it holds nothing."
) { call in
  let path = try call.path()
  guard let lock = try FileLock(path) else {
    return call.failure("\(shown(path)): is locked by another")
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
