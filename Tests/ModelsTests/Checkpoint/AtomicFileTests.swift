import Foundation
import TestSupport
import Testing

@testable import Core
@testable import Models

/// What is written to, what is refused, and what stays of the file that is replaced.
@Suite struct AtomicFileTests {
  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  private func mode(_ path: String) -> mode_t {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode : 0
  }

  /// Every way in which a file is written at once or grows.
  private let writers: [(String, (String) throws -> Void)] = [
    ("write", { try AtomicFile.write($0, "new") }),
    ("check", { try AtomicFile.check($0) }),
    ("append", { try AppendedFile.append("new".utf8, to: $0) }),
    ("truncate", { try AppendedFile.truncate($0, to: 0) }),
    ("safetensors", { try Safetensors.write(arrays: [], to: $0) }),
  ]

  @Test func whateverIsNoFileIsRefusedAndStays() throws {
    try withTemporaryFolder { folder in
      let (pipe, link, loop) = (folder + "/pipe", folder + "/link", folder + "/loop")
      #expect(mkfifo(pipe, 0o600) == 0)
      #expect(symlink("/dev/full", link) == 0 && symlink("loop", loop) == 0)
      #expect(symlink("nothing", folder + "/dangling") == 0)
      #expect(symlink("/proc/self/fd/1", folder + "/stream") == 0)
      let socket = folder + "/socket"
      try #require(makeSocket(socket))
      let entries = try folderEntries(folder).sorted()
      for (name, write) in writers {
        for (path, reason) in [
          (pipe, "is a pipe, not a regular file: nothing is written to it"),
          (socket, "is a socket, not a regular file: nothing is written to it"),
          (link, "is a device, not a regular file: nothing is written to it"),
          ("/dev/full", "is a device, not a regular file: nothing is written to it"),
          (folder, "is a folder, not a regular file: nothing is written to it"),
          (folder + "/", "is a folder, not a regular file: nothing is written to it"),
          (folder + "/none/", "cannot be written: No such file or directory"),
          (loop, "cannot be written: Too many levels of symbolic links"),
          (folder + "/dangling", "is a link to \(folder)/nothing, which is not there"),
          (folder + "/stream", "is what a process has open, not a regular file of its own"),
          ("", "the path is empty"),
        ] {
          #expect(errorText { try write(path) } == "\(path): \(reason)", "\(name)")
        }
      }
      #expect(try folderEntries(folder).sorted() == entries)
      #expect(mode(pipe) & S_IFMT == S_IFIFO && mode(socket) & S_IFMT == S_IFSOCK)
      #expect(mode("/dev/full") & S_IFMT == S_IFCHR)
    }
  }

  private func makeSocket(_ path: String) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < 108 else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }

  @Test func aPipeOrDeviceIsNotWaitedFor() throws {
    try withTemporaryFolder { folder in
      #expect(mkfifo(folder + "/pipe", 0o600) == 0)
      for (path, kind) in [(folder + "/pipe", "pipe"), ("/dev/zero", "device"), (folder, "folder")]
      {
        let expected = "\(path): is not a regular file but a \(kind)"
        #expect(errorText { _ = try InputFile(path) } == expected)
        #expect(errorText { _ = try XXHash64.ofFile(path) } == expected)
        #expect(errorText { _ = try AppendedFile.dropTornLine(path) } == expected)
      }
    }
  }

  @Test func aLinkIsFollowedAndStays() throws {
    try withTemporaryFolder { folder in
      try makeFolder(folder + "/other")
      try AtomicFile.write(folder + "/other/file", "old")
      #expect(symlink("other/file", folder + "/link") == 0)
      #expect(symlink("\(folder)/link", folder + "/second") == 0)
      for (path, new) in [("link", "one"), ("second", "two")] {
        try AtomicFile.write("\(folder)/\(path)", new)
        #expect(mode("\(folder)/\(path)") & S_IFMT == S_IFLNK)
        #expect(try text(folder + "/other/file") == new)
      }
      try AppendedFile.append("!".utf8, to: folder + "/second")
      #expect(try text(folder + "/other/file") == "two!")
      #expect(try folderEntries(folder + "/other").sorted() == [".", "..", "file"])
    }
  }

  @Test func rightsStayAndNewFilesHaveThoseOfTheMask() throws {
    let mask = umask(0o027)
    defer { umask(mask) }
    try withTemporaryFolder { folder in
      let path = folder + "/file"
      try AtomicFile.write(path, "old")
      #expect(mode(path) & 0o777 == 0o640)
      for rights: mode_t in [0o600, 0o666, 0o755, 0o644] {
        #expect(chmod(path, rights) == 0)
        try AtomicFile.write(path, "\(rights)")
        #expect(mode(path) & 0o777 == rights)
      }
      try AppendedFile.append("x".utf8, to: folder + "/log")
      #expect(mode(folder + "/log") & 0o777 == 0o640)
    }
  }

  @Test func longNamesAndPaths() throws {
    try withTemporaryFolder { folder in
      for count in [200, 201, 250, 255] {
        let path = folder + "/" + String(repeating: "n", count: count)
        try AtomicFile.write(path, "\(count)")
        #expect(try text(path) == "\(count)")
      }
      let accents = folder + "/" + String(repeating: "é", count: 127)
      try AtomicFile.write(accents, "é")
      #expect(try text(accents) == "é")
      for path in [
        folder + "/" + String(repeating: "n", count: 256), String(repeating: "a/", count: 3000),
      ] {
        let text = errorText { try AtomicFile.write(path, "x") }
        #expect(text?.hasSuffix("cannot be written: File name too long") == true, "\(text ?? "")")
        #expect(text?.count ?? 0 < 500)
      }
      #expect(try folderEntries(folder).count == 7)
    }
  }

  @Test func controlCharactersOfAPathAreWrittenOut() {
    #expect(
      FileError("a\nb\u{1B}[2J\u{7F}\u{202E}\t", "is bad").description
        == "a\\nb\\x1B[2J\\x7F\\u{202E}\\t: is bad")
    #expect(shown("é/ü") == "é/ü")
  }

  @Test func appendingToAFileThatSomebodyChangedIsAnError() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      try AppendedFile.append("one\n".utf8, to: path, size: 0)
      try AppendedFile.append("two\n".utf8, to: path, size: 4)
      for (size, found) in [(0, 8), (4, 8), (12, 8)] {
        #expect(
          errorText { try AppendedFile.append("x".utf8, to: path, size: size) }
            == "\(path): was changed by another program: it has \(found) bytes, \(size) bytes were "
            + "written to it")
      }
      #expect(try text(path) == "one\ntwo\n")
      unlink(path)
      #expect(
        errorText { try AppendedFile.append("x".utf8, to: path, size: 8) }
          == "\(path): was changed by another program: it is not there, 8 bytes were written to it")
      #expect(!fileExists(path))
    }
  }

  @Test func tornLinesAreCutOff() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/lines"
      let long = String(repeating: "x", count: 200_000)
      for (before, after) in [
        ("", ""), ("a", ""), ("a\n", "a\n"), ("a\nb", "a\n"), ("\n\n", "\n\n"),
        ("a\n" + long, "a\n"), (long + "\n", long + "\n"), (long, ""),
        (long + "\n" + long, long + "\n"),
      ] {
        try AtomicFile.write(path, before)
        #expect(try AppendedFile.dropTornLine(path) == before.count - after.count)
        #expect(try text(path) == after)
      }
    }
  }

  /// A limit of the size of files stands for a full disk: a part of what is written fits.
  @Test func whatDoesNotFitLeavesTheOldFileAndNoPiece() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(folder + "/file", "old")
      try AppendedFile.append("one\n".utf8, to: folder + "/log")
      let signals = signal(SIGXFSZ, SIG_IGN)
      var before = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before)
      var limit = rlimit(rlim_cur: 100_000, rlim_max: before.rlim_max)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let large = [UInt8](repeating: 120, count: 300_000)
      let written = errorText { try AtomicFile.write(folder + "/file", large) }
      let appended = errorText { try AppendedFile.append(large, to: folder + "/log") }
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before)
      signal(SIGXFSZ, signals)
      #expect(written == "\(folder)/file: cannot be written: File too large")
      #expect(appended == "\(folder)/log: cannot be written: File too large")
      #expect(try text(folder + "/file") == "old")
      #expect(try text(folder + "/log") == "one\n")
      #expect(try folderEntries(folder).sorted() == [".", "..", "file", "log"])
    }
  }

  @Test func temporaryFilesOfTheDeadAreKnown() throws {
    let mine = TemporaryName(target: "model.safetensors", serial: 7)
    let read = try #require(TemporaryName(mine.text))
    #expect(read.isFor("model.safetensors") && !read.isFor("config.json"))
    let long = String(repeating: "n", count: 255)
    let shortened = try #require(TemporaryName(TemporaryName(target: long, serial: 1).text))
    #expect(shortened.isFor(long) && shortened.text.utf8.count <= 255)
    for other in [".mine.tmp", ".a.1-1.tmp", "a.0123abcd.1-1.tmp", ".a.0123abcd.1-1.tmp.x"] {
      #expect(TemporaryName(other) == nil)
    }
    try withTemporaryFolder { folder in
      let parts = mine.text.split(separator: ".")
      let host = parts[parts.count - 3]
      let names = [  // 2^22 is beyond the largest process number of Linux; 1 is alive
        ".f.\(host).4194305-1.tmp", ".f.\(host).\(getpid())-999999.tmp", ".f.\(host).1-1.tmp",
        ".f.00000000.4194305-1.tmp",
      ]
      for name in names { try AtomicFile.write("\(folder)/\(name)", "") }
      AtomicFile.removeLeftovers(in: folder, of: "f")
      #expect(
        try folderEntries(folder).filter { $0.hasPrefix(".f") }.sorted() == names[2...].sorted())
      for name in names[2...] {
        var times = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
        utimensat(AT_FDCWD, "\(folder)/\(name)", &times, 0)
      }
      AtomicFile.removeLeftovers(in: folder)
      #expect(try folderEntries(folder).count == 2)
    }
  }

  /// A process that was killed keeps its number until its parent asks for it, which some never do.
  @Test func temporaryFilesOfAProcessThatNobodyBuriedAreRemoved() throws {
    var process = pid_t()
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
    defer { for argument in arguments { free(argument) } }
    try #require(posix_spawn(&process, "/bin/sleep", nil, nil, &arguments, nil) == 0)
    try withTemporaryFolder { folder in
      let host = TemporaryName(target: "f", serial: 1).text.split(separator: ".")[1]
      let name = "\(folder)/.f.\(host).\(process)-1.tmp"
      try AtomicFile.write(name, "")
      AtomicFile.removeLeftovers(in: folder)
      #expect(fileExists(name))
      kill(process, SIGKILL)
      var status = siginfo_t()
      waitid(P_PID, id_t(process), &status, WEXITED | WNOWAIT)
      AtomicFile.removeLeftovers(in: folder)
      #expect(!fileExists(name))
      waitpid(process, nil, 0)
    }
  }
}
