import Foundation
import TestSupport
import Testing

/// A script may come from a pipe, as with `lua`; data may not, and nothing waits for a writer.
@Suite("Pipes")
struct PipeTests {
  /// Runs a line of bash with the program as `$0`; 10 seconds are more than anything here takes.
  private func bash(_ line: String, in folder: URL) throws -> RunResult {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments = ["60", "bash", "-c", line, Binary.url.path]
    process.currentDirectoryURL = folder
    let (stdout, stderr) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (FileHandle.nullDevice, stdout)
    process.standardError = stderr
    try process.run()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    let errors = stderr.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return RunResult(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
      errors: String(decoding: errors, as: UTF8.self))
  }

  @Test(
    "A script from a pipe",
    arguments: [
      #""$0" <(echo 'print(1 + 1)')"#, #"echo 'print(1 + 1)' | "$0" /dev/stdin"#,
      #"mkfifo p && { echo 'print(1 + 1)' > p & } && "$0" p"#,
      #"echo 'print(1 + 1)' > s.lua && "$0" /dev/stdin < s.lua"#,
    ])
  func script(line: String) throws {
    try Binary.withFolder { folder in
      let result = try bash(line, in: folder)
      #expect(result.output == "2\n" && result.status == 0, "\(result.errors)")
    }
  }

  @Test("Data from a pipe are refused at once; from a redirected file they are read")
  func data() throws {
    let program = #"local d = require 'apo'.dataset('/dev/stdin') print(#d)"#
    try Binary.withFolder { folder in
      let refused = try bash(#"sleep 1 | "$0" -e "\#(program)""#, in: folder)
      #expect(refused.errors.contains("/dev/stdin: is not a regular file but a pipe"))
      let read = try bash(
        #"echo '{"prompt": "a"}' > rows && "$0" -e "\#(program)" < rows"#, in: folder)
      #expect(read.output == "1\n", "\(read.errors)")
    }
  }

  @Test("Standard output is not replaced by a file")
  func output() throws {
    let program = "require 'apo'.system.write_file('/dev/stdout', 'x')"
    try Binary.withFolder { folder in
      for end in ["| cat", "> file", ">> file", "> /dev/null"] {
        let result = try bash(#""$0" -e "\#(program)" \#(end)"#, in: folder)
        #expect(result.errors.contains("/dev/stdout: is what a process has open"), "\(end)")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["file"])
    }
  }

  @Test("A history that is no file is none")
  func history() throws {
    try Binary.withFolder { folder in
      let line = #"mkfifo h && echo 'print(7)' | APO_HISTORY=h "$0" -i"#
      let result = try bash(line, in: folder)
      #expect(result.output.contains("7") && result.status == 0)
    }
  }
}
