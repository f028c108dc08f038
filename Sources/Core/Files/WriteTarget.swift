import Glibc

/// The regular file that writing to a path creates or replaces.
///
/// Links are followed as usual: the target is replaced and the link stays. Anything else is
/// refused, because renaming a file over a device, pipe or socket would remove it. So are dangling
/// links.
public struct WriteTarget {
  /// The path as it was given, for errors.
  package let given: String
  /// The path without a link at its end.
  package let path: String
  /// What is there now.
  package let old: stat?

  /// Throws if the path must not be written to.
  public init(_ given: String) throws {
    guard !given.isEmpty else { throw FileError(given, "the path is empty") }
    (self.given, path, old) = try Self.followed(given)
  }

  /// A folder entry; a link is itself replaced.
  package init(entry path: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      self.init(path, path, nil)
      return
    }
    let isLink = status.st_mode & S_IFMT == S_IFLNK
    if !isLink, let kind = otherKind(status.st_mode) {
      throw FileError(path, "cannot be replaced: it is \(kind)")
    }
    if !isLink { try Self.checkIsWritable(path, path) }
    self.init(path, path, isLink ? nil : status)
  }

  private init(_ given: String, _ path: String, _ old: stat?) {
    (self.given, self.path, self.old) = (given, path, old)
  }

  private static func followed(_ given: String) throws -> (String, String, stat?) {
    var path = given
    for _ in 0..<40 {
      var status = stat()
      guard lstat(path, &status) == 0 else {
        guard errno == ENOENT, !path.hasSuffix("/") else {
          throw FileError(given, "cannot be written: \(lastSystemError())")
        }
        guard path == given else {
          throw FileError(given, "is a link to \(shown(path)), which is not there")
        }
        return (given, path, nil)
      }
      guard status.st_mode & S_IFMT == S_IFLNK else {
        if let kind = otherKind(status.st_mode) {
          throw FileError(given, "is \(kind), not a regular file: nothing is written to it")
        }
        try checkIsWritable(path, given)
        return (given, path, status)
      }
      path = try followLink(path, given)
    }
    throw FileError(given, "cannot be written: \(String(cString: strerror(ELOOP)))")
  }

  /// Where a link leads, one step.
  private static func followLink(_ path: String, _ given: String) throws -> String {
    // A link of /proc stands for what a process has open, standard output for example.
    if let processes = FileIdentity("/proc/self"), processes.isBeside(path) {
      throw FileError(given, "is what a process has open, not a regular file of its own")
    }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &buffer, buffer.count)
    guard count > 0 else { throw FileError(given, "cannot be written: \(lastSystemError())") }
    let target = buffer[..<count].withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    return target.hasPrefix("/") ? target : "\(parentFolder(path))/\(target)"
  }

  /// Renaming over a read-only file would succeed, which is not intended.
  private static func checkIsWritable(_ path: String, _ given: String) throws {
    guard access(path, W_OK) == 0 else {
      throw FileError(given, "cannot be written: \(lastSystemError())")
    }
  }
}

/// Identifies a file by file system and inode.
public struct FileIdentity: Equatable, Sendable {
  private let device: dev_t
  private let number: ino_t

  /// The file at a path, following links; nil if missing.
  public init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (device, number) = (status.st_dev, status.st_ino)
  }

  /// The file that is open.
  public init?(_ descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    (device, number) = (status.st_dev, status.st_ino)
  }

  /// Whether a folder entry itself (not its link target) is on the same file system.
  package func isBeside(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_dev == device
  }
}
