import Glibc

/// `apo-lua --dry-run`: nothing is written to disk by the library.
public enum DryRun {
  /// Whether this process is one; the program sets the environment variable for it.
  public static let isOn = getenv("APO_DRY_RUN").map { $0.pointee != 0 } ?? false

  /// Whether a write is left out, which a line on standard error then says.
  static func omits(_ path: String) -> Bool {
    guard isOn else { return false }
    let line = Array("dry run: \(shown(path)) is not written\n".utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    return true
  }
}
