import Glibc

/// The name of a temporary file, which identifies leftovers of killed processes:
/// `.TARGET.HOST.PROCESS-SERIAL.tmp`.
///
/// A process number is valid only on one machine or in one container; HOST tells apart those that
/// share a folder.
package struct TemporaryName {
  package let text: String
  private let target: Substring
  private let host: Substring
  private let process: pid_t

  /// The name of a new one, of this process.
  package init(target: String, serial: Int) {
    self.target = Self.shortened(target)
    (host, process) = (Self.thisHost[...], getpid())
    text = ".\(self.target).\(host).\(process)-\(serial).tmp"
  }

  /// Parses a folder entry; nil if it is not a temporary file.
  package init?(_ entry: String) {
    guard let match = entry.wholeMatch(of: /\.(.+)\.([0-9a-f]{8})\.(\d+)-\d+\.tmp/),
      let process = pid_t(match.3)
    else { return nil }
    (text, target, host, self.process) = (entry, match.1, match.2, process)
  }

  /// Whether it is one for a file of that name.
  package func isFor(_ name: String) -> Bool { target == Self.shortened(name) }

  /// Whether it is abandoned; files of another machine are kept for a day.
  package func isOfDeadProcess(_ path: String) -> Bool {
    if host == Self.thisHost {
      if process == getpid() { return true }
      if kill(process, 0) != 0, errno == ESRCH { return true }
      if Self.isUnburied(process) { return true }
    }
    var status = stat()
    return lstat(path, &status) == 0 && time(nil) - status.st_mtim.tv_sec > 86_400
  }

  /// Whether a process is a zombie; in containers some parents never reap their children.
  private static func isUnburied(_ process: pid_t) -> Bool {
    guard let file = try? InputFile("/proc/\(process)/stat") else { return false }
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = file.readSome(&bytes)
    // The state follows the name, which is in parentheses and may contain any character.
    guard let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")), end + 2 < count else {
      return false
    }
    return bytes[end + 2] == UInt8(ascii: "Z")
  }

  /// A prefix of a name, short enough for the system with the rest added.
  private static func shortened(_ name: String) -> Substring {
    var count = 0
    return name.prefix {
      count += $0.utf8.count
      return count <= 200
    }
  }

  private static let thisHost: String = {
    var hash = XXHash64()
    var buffer = [UInt8](repeating: 0, count: 256)
    if gethostname(&buffer, buffer.count - 1) == 0 { buffer.withUnsafeBytes { hash.add($0) } }
    var namespace = stat()
    if stat("/proc/self/ns/pid", &namespace) == 0 {
      withUnsafeBytes(of: namespace.st_ino) { hash.add($0) }
    }
    return UInt32(truncatingIfNeeded: hash.value).hexadecimal(8)
  }()
}

/// The last name of a path.
package func entryName(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return path }
  return String(path[path.index(after: slash)...])
}
