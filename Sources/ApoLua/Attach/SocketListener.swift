// A socket at a path that is there only while somebody listens at it.

import CProcess
import Core
import Glibc
import Lua
import Synchronization

/// A listening socket of this process, readable and writable by its user only.
final class SocketListener: Sendable {
  let path: String
  let descriptor: Int32
  private let process = getpid()

  /// Listens at a path. The socket gets its name when it listens already, so that one that refuses
  /// connections is of a process that has ended, and may be replaced.
  ///
  /// - Throws: if another process listens there.
  init(path: String) throws {
    self.path = path
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    Self.removeDead(in: parent)
    guard !Self.isLive(path) else {
      throw LuaError("\(shown(path)): another process listens at this socket")
    }
    let unnamed = "\(parent)/.\(getpid())-\(Self.count.add(1, ordering: .relaxed).newValue)"
    descriptor = try Self.listen(at: unnamed)
    guard rename(unnamed, path) == 0 else {
      let fault = systemError(path)
      unlink(unnamed)
      Glibc.close(descriptor)
      throw fault
    }
    Self.remember(path)
  }

  private static let count = Atomic(0)

  private static func listen(at path: String) throws -> Int32 {
    let descriptor = cp_socket()
    guard descriptor >= 0 else { throw systemError(path) }
    unlink(path)
    // From the first moment nobody else may connect; a mode set afterwards would leave a gap.
    let mask = umask(0o177)
    let isBound = withAddress(of: path) { bind(descriptor, $0, $1) } == 0
    umask(mask)
    guard isBound, Glibc.listen(descriptor, 16) == 0 else {
      let fault = systemError(path)
      unlink(path)
      Glibc.close(descriptor)
      throw fault
    }
    return descriptor
  }

  /// Removes the name and closes the socket. A child process that goes on after fork leaves the
  /// name alone.
  func close() {
    if getpid() == process { unlink(path) }
    Self.forget(path)
    Glibc.close(descriptor)
  }

  /// Connects to a socket; nil and errno if nobody listens there.
  static func connect(to path: String) -> Int32? {
    let descriptor = cp_socket()
    guard descriptor >= 0 else { return nil }
    if withAddress(of: path, { Glibc.connect(descriptor, $0, $1) }) == 0 { return descriptor }
    let code = errno
    Glibc.close(descriptor)
    errno = code
    return nil
  }

  /// Whether somebody listens, too busy to answer (EAGAIN) or not.
  static func isLive(_ path: String) -> Bool {
    if let descriptor = connect(to: path) {
      Glibc.close(descriptor)
      return true
    }
    return errno == EAGAIN
  }

  private static func withAddress(
    of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    guard path.utf8.count <= SocketPath.longest else {
      errno = ENAMETOOLONG
      return -1
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// Removes sockets that killed processes left; `.PROCESS-N` never got its name.
  private static func removeDead(in folder: String) {
    for name in names(in: folder) {
      let path = "\(folder)/\(name)"
      let process = name.hasPrefix(".") ? pid_t(name.dropFirst().prefix { $0 != "-" }) : nil
      let isLeft = process.map { kill($0, 0) != 0 && errno == ESRCH } ?? name.hasSuffix(".sock")
      if isLeft, !isLive(path), errno == ECONNREFUSED { unlink(path) }
    }
  }

  // MARK: The end of the process

  /// The sockets of this process, each with the process that made it.
  private static let paths = Mutex<(makers: [String: pid_t], isWatching: Bool)>(([:], false))

  /// `os.exit` and the end of a script leave no socket.
  private static func remember(_ path: String) {
    let isFirst = paths.withLock { paths in
      paths.makers[path] = getpid()
      defer { paths.isWatching = true }
      return !paths.isWatching
    }
    if isFirst { atexit { SocketListener.removeAll() } }
  }

  private static func forget(_ path: String) {
    paths.withLock { $0.makers[path] = nil }
  }

  private static func removeAll() {
    for (path, maker) in paths.withLock({ $0.makers }) where maker == getpid() { unlink(path) }
  }
}
