// Where the sockets of live runs lie: in a folder that only their owner may enter, not in the run
// folder, because the path of a socket is limited to 107 bytes and not every file system has
// sockets.

import Core
import Glibc
import Lua

/// Folder and name of a run's socket.
enum SocketPath {
  /// The longest path that fits `sockaddr_un`, its final zero not counted.
  static let longest = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

  /// The path of the socket of a run that this process records; makes the folder.
  ///
  /// - Throws: if the folder belongs to somebody else or others may enter it.
  static func make(forRun folder: String) throws -> String {
    let parent = folders(of: geteuid())[0]
    if mkdir(parent, 0o700) != 0, errno != EEXIST { throw systemError(parent) }
    try check(parent)
    let path = try "\(parent)/\(name(ofRun: folder))"
    guard path.utf8.count <= longest else {
      throw LuaError(
        "\(shown(path)): has \(path.utf8.count) bytes, the path of a socket at most \(longest); "
          + "set XDG_RUNTIME_DIR to a shorter one")
    }
    return path
  }

  /// Where the socket of a run may be, for whoever looks for it: the process that records it may
  /// have had another XDG_RUNTIME_DIR.
  static func candidates(forRun folder: String) throws -> [String] {
    var status = stat()
    guard stat(folder, &status) == 0 else { throw systemError(folder) }
    let name = try name(ofRun: folder)
    return folders(of: status.st_uid).map { "\($0)/\(name)" }
  }

  /// The folders in which sockets of a user may be, the one for new ones first.
  private static func folders(of user: uid_t) -> [String] {
    let usual = ["/tmp/apo-\(user)", "/run/user/\(user)/apo"]
    // `su` and `sudo` leave the variable of another user.
    guard let folder = getenv("XDG_RUNTIME_DIR").map({ String(cString: $0) }),
      owner(of: folder) == user
    else { return usual }
    return ["\(folder)/apo"] + usual
  }

  private static func owner(of path: String) -> uid_t? {
    var status = stat()
    guard path.hasPrefix("/"), lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      return nil
    }
    return status.st_uid
  }

  /// /tmp is everybody's: what has the name there may be another user's, or a link.
  private static func check(_ folder: String) throws {
    var status = stat()
    guard lstat(folder, &status) == 0 else { throw systemError(folder) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw LuaError("\(shown(folder)): is not a folder")
    }
    guard status.st_uid == geteuid() else {
      throw LuaError("\(shown(folder)): belongs to user \(status.st_uid), not to \(geteuid())")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw LuaError("\(shown(folder)): others may enter it; chmod 700 it")
    }
  }

  /// The folder's name, for people, and its identity, the same through any link.
  private static func name(ofRun folder: String) throws -> String {
    guard let resolved = realpath(folder, nil) else { throw systemError(folder) }
    defer { free(resolved) }
    var status = stat()
    guard stat(resolved, &status) == 0 else { throw systemError(folder) }
    let last = String(cString: resolved).split(separator: "/").last ?? "run"
    let plain = last.prefix(24).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    let identity = [UInt64(status.st_dev), UInt64(status.st_ino)].map { $0.hexadecimal(1) }
    return "\(String(plain))-\(identity.joined(separator: "-")).sock"
  }
}
