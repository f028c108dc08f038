import Foundation
import TestSupport
import Testing

@testable import ApoLua

/// Completions and the man page are asked of the shells that are installed here.
@Suite("Completions and installation")
struct CompletionTests {
  /// What a shell prints; nil where it is not installed.
  private func run(_ shell: String, _ arguments: [String], in folder: URL) throws -> String? {
    let places = ["/bin/", "/usr/bin/", "/usr/local/bin/"].map { $0 + shell }
    guard let path = places.first(where: FileManager.default.isExecutableFile) else {
      print("completions of \(shell) are not tried: it is not installed")
      return nil
    }
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  @Test("bash completes options, commands, algorithms and files")
  func bash() throws {
    try Binary.withFolder { folder in
      try Data().write(to: folder.appendingPathComponent("complex name.lua"))
      try completionText(for: "bash").write(
        to: folder.appendingPathComponent("completion"), atomically: true, encoding: .utf8)
      func complete(_ words: String) throws -> [String] {
        let script = """
          source completion
          COMP_WORDS=(\(words)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _apo_lua
          printf '%s\\n' "${COMPREPLY[@]}"
          """
        let output = try #require(try run("bash", ["-c", script], in: folder))
        return output.split(separator: "\n").map(String.init)
      }
      #expect(try complete("apo-lua copy re") == ["rebel", "reinforce"])
      #expect(try complete("apo-lua completion z") == ["zsh"])
      #expect(try complete("apo-lua --th") == ["--threads"])
      #expect(try complete("apo-lua -e ''") == [])
      let first = try complete("apo-lua comple")
      #expect(first.prefix(1) == ["completion"])
      #expect(first.contains { $0.hasPrefix("complex") })
    }
  }

  @Test("fish completes the same, and zsh reads its completions")
  func others() throws {
    try Binary.withFolder { folder in
      for shell in ["fish", "zsh"] {
        try completionText(for: shell).write(
          to: folder.appendingPathComponent(shell), atomically: true, encoding: .utf8)
      }
      let script = "source fish; complete -C 'apo-lua copy re'"
      if let output = try run("fish", ["--no-config", "-c", script], in: folder) {
        #expect(output == "rebel\nreinforce\n")
      }
      if let output = try run("zsh", ["-n", "zsh"], in: folder) { #expect(output == "") }
      #expect(throws: (any Error).self) { try completionText(for: "csh") }
    }
  }

  @Test("scripts/install installs what runs, and removes all of it")
  func install() throws {
    try Binary.withFolder { folder in
      let script = Checkout.folder.appendingPathComponent("scripts/install").path
      let line = "APO_PROGRAM='\(Binary.url.path)' '\(script)' \"$@\" 'a prefix'"
      let installed = try #require(
        try run("bash", ["-c", line, "bash"], in: folder))
      let files = installed.split(separator: "\n").map(String.init)
      #expect(files.count > 30 && files.contains("a prefix/share/apo-lua/examples/train.lua"))
      for file in files {
        #expect(FileManager.default.fileExists(atPath: folder.path + "/" + file))
      }
      let program = folder.path + "/a prefix/bin/apo-lua"
      #expect(try run("bash", ["-c", "'\(program)' -e 'print(1 + 1)'"], in: folder) == "2\n")
      let page = try String(contentsOfFile: folder.path + "/" + files[4], encoding: .utf8)
      #expect(page.contains("\\-\\-threads <count>"))
      _ = try run("bash", ["-c", line, "bash", "--remove"], in: folder)
      for file in files {
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/" + file))
      }
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/a prefix/share/apo-lua"))
    }
  }

  @Test("scripts/package makes the same bytes twice, with all files and what they need")
  func package() throws {
    let program = Checkout.folder.appendingPathComponent(".build/release/apo-lua").path
    guard FileManager.default.isExecutableFile(atPath: program),
      try run("sh", ["-c", "command -v dpkg-shlibdeps"], in: Checkout.folder) != ""
    else { return print("packages are not tried: they need dpkg-dev and what scripts/build makes") }
    try Binary.withFolder { folder in
      let script = Checkout.folder.appendingPathComponent("scripts/package").path
      let line =
        "APO_PROGRAM='\(program)' '\(script)' one && APO_PROGRAM='\(program)' '\(script)' two"
      _ = try run("bash", ["-c", line], in: folder)
      let check = """
        cmp one/*.deb two/*.deb && cmp one/*.tar.gz two/*.tar.gz && dpkg-deb -f one/*.deb Depends
        dpkg-deb -c one/*.deb | awk '{print $2, $6}'; tar -tf one/*.tar.gz
        """
      let output = try #require(try run("bash", ["-c", check], in: folder))
      #expect(output.hasPrefix("libc6 (>= "), "\(output)")
      let names = [
        "root/root ./usr/bin/apo-lua\n", "./usr/share/zsh/vendor-completions/_apo-lua\n",
        "./usr/share/doc/apo-lua/copyright\n", "./usr/share/man/man1/apo-lua.1.gz\n",
        "./usr/share/apo-lua/types/apo.lua\n", "-x86_64/bin/apo-lua\n",
        "/share/apo-lua/examples/train.lua\n",
      ]
      for name in names { #expect(output.contains(name), "\(name) is missing") }
    }
  }
}
