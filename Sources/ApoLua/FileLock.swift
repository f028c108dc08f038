// A lock that one holder at a time has, among all processes: `apo.system.lock`.

import Glibc
import Lua

/// A file that is locked for as long as the object lives (flock(2)).
final class FileLock: LuaObject {
  static let luaName = "apo.FileLock"
  private let descriptor: Int32

  /// Locks the file at a path, which is made when there is none; nil when another holds the lock.
  ///
  /// On a file system that has no locks the object holds none. Throws when the file cannot be
  /// opened.
  init?(_ path: String) throws {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw systemError(path) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK: return nil
      case ENOLCK, ENOSYS, EOPNOTSUPP: return
      default: throw systemError(path)
      }
    }
  }

  // The kernel drops the lock with the last descriptor, so also when the process is killed.
  deinit { if descriptor >= 0 { close(descriptor) } }
}

let fileLockClass = Class(
  FileLock.self, "A lock on a file, held until `free`, the end of a `<close>` or of the process.",
  methods: [
    Function("__tostring", "What it is.", returns: [Returned(.string, "its name")]) { call in
      call.result(FileLock.luaName)
    }
  ])

let lockFunction = Function(
  "lock", "Locks a file, so that one process at a time can do something.",
  [Parameter("path", .string, "the file; it is made when there is none, and stays")],
  returns: [Returned(.object(FileLock.self), "the lock; it holds until it is freed or collected")],
  details: "Does not wait: gives nil and a message when another holds the lock, be it in this "
    + "process. On a file system without locks it holds nothing."
) { call in
  let path = try call[1].string()
  guard let lock = try FileLock(path) else { return call.failure("\(path): is locked by another") }
  return try call.result(lock)
}
