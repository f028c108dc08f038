import Foundation

/// The reference files beside the checkout, named by the environment variable `APO_SHARED`.
public enum Fixtures {
  /// Folder of the reference files, or nil when there is none.
  public static let folder: String? = {
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let beside = here.appendingPathComponent("../../../shared").standardized.path
    let shared = ProcessInfo.processInfo.environment["APO_SHARED"] ?? beside
    let folder = shared + "/fixtures"
    return FileManager.default.fileExists(atPath: folder) ? folder : nil
  }()

  /// Whether the reference files are there; tests that need them are skipped when they are not.
  public static var areThere: Bool { folder != nil }

  /// Why a test was skipped.
  public static let missing = "needs the reference files: set APO_SHARED to their folder"

  /// Path of a reference file.
  public static func path(_ name: String) -> String { (folder ?? "no fixtures") + "/" + name }
}

/// Path of a file in Tests/Fixtures.
public func localFixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../Fixtures/\(name)").standardized.path
}

/// Calls `body` with a new folder that is removed afterwards.
public func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "apo-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// The text of the error that `body` throws, or nil when it throws none.
public func errorText(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)"
  }
}
