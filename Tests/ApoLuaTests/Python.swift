import Foundation

/// Python with packages that read what apo-lua writes, where there is one.
enum Python {
  /// The first Python that can import a module: `APO_PYTHON`, one in .build, or the usual ones.
  static func having(_ module: String, in folder: String) -> String? {
    let named = ProcessInfo.processInfo.environment["APO_PYTHON"].map { [$0] } ?? []
    let own = Checkout.folder.appendingPathComponent(".build/\(folder)/bin/python").path
    return (named + [own, "/usr/bin/python3", "/usr/local/bin/python3"]).first {
      (try? run($0, ["-c", "import \(module)"]))?.status == 0
    }
  }

  /// Runs a program to its end.
  static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> RunResult {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (stdout, stderr) = (Pipe(), Pipe())
    process.standardOutput = stdout
    process.standardError = stderr
    try process.run()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    let errors = stderr.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return RunResult(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
      errors: String(decoding: errors, as: UTF8.self))
  }
}
