import Glibc

/// Which file of which file system something is.
public struct FileIdentity: Equatable, Sendable {
  private let device: dev_t
  private let number: ino_t

  /// Of what is at a path, links followed; nil when there is nothing.
  public init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (device, number) = (status.st_dev, status.st_ino)
  }

  /// Of what is open.
  public init?(_ descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    (device, number) = (status.st_dev, status.st_ino)
  }

  /// Whether an entry of a folder, itself and not what it leads to, is in the same file system.
  func isBeside(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_dev == device
  }
}
