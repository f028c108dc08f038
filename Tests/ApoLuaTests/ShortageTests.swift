import Foundation
import Testing

/// What exhausts memory ends by a Lua error, and the state goes on; scripts/shortage/run has all
/// cases at all limits.
@Suite("Memory that runs out", .serialized)
struct ShortageTests {
  private func run(_ cases: String, _ levels: String, _ variables: [String: String] = [:]) throws
    -> RunResult
  {
    let command =
      "exec scripts/shortage/run '\(Binary.url.path)' examples/models/arithmetic "
      + "'\(cases)' '\(levels)'"
    return try Binary.run(
      ["-e", "local _, _, status = os.execute([[\(command)]]) os.exit(status)"],
      environment: variables.merging(["APO_SHORTAGE_VERBOSE": "1"]) { $1 },
      in: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent())
  }

  @Test(
    "Under a limit of address space",
    arguments: [
      "tables strings coroutines zeros", "graph decode totable nested",
      "read_file encode torn_line train_holding",
    ])
  func addressSpace(cases: String) throws {
    let result = try run(cases, "150000 400000")
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.hasSuffix("8 runs, 0 bad\n"), "\(result.output)")
    #expect(!result.output.contains("status"), "\(result.output)")
  }

  @Test("The program starts, or says why not", arguments: [10000, 30000, 60000, 100_000, 250_000])
  func start(limit: Int) throws {
    let command = "ulimit -v \(limit); timeout 60 '\(Binary.url.path)' -e 'print(1)' 2>&1"
    let result = try Binary.run(
      ["-e", "local _, kind, status = os.execute([[\(command)]]) print(kind, status)"])
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 2, "\(result.output)")
    #expect(lines.last?.hasPrefix("exit") == true, "\(result.output)")
    #expect(lines.first == "1" || lines.last != "exit\t0", "\(result.output)")
    if limit == 250_000 { #expect(lines.first == "1") }
  }

  @Test("In a control group")
  func controlGroup() throws {
    let result = try run("tables zeros tensors decode", "300", ["APO_SHORTAGE": "cgroup"])
    if result.status == 77 {
      print("skipped: \(result.output)")
      return
    }
    #expect(result.output.hasSuffix("4 runs, 0 bad\n"), "\(result.output)")
  }
}
