import Foundation
import Testing

@testable import Core

/// The kernel's files, written into a folder.
@Suite struct MemoryLimitsTests {
  private func room(_ files: [String: String]) throws -> Int {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (path, text) in files {
      let file = folder.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data((text + "\n").utf8).write(to: file)
    }
    return MemoryLimits(root: folder.path).systemBytes
  }

  private let machine = "MemTotal: 8000 kB\nMemAvailable: 4000 kB"
  private let mounts = """
    25 1 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw
    30 25 0:30 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
    31 25 0:31 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
    32 25 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
    """

  @Test func withoutGroupsTheMachineDecides() throws {
    #expect(try room(["proc/meminfo": machine]) == 4_096_000)
    #expect(try room([:]) == .max)
  }

  @Test func versionTwoTakesTheLeastOfTheGroupAndThoseAboveIt() throws {
    var files = [
      "proc/meminfo": machine, "proc/self/cgroup": "0::/a/b", "proc/self/mountinfo": mounts,
      "sys/fs/cgroup/unified/a/b/memory.max": "max",
      "sys/fs/cgroup/unified/a/b/memory.high": "max",
      "sys/fs/cgroup/unified/a/b/memory.current": "1000",
      "sys/fs/cgroup/unified/a/memory.max": "500000",
      "sys/fs/cgroup/unified/a/memory.current": "200000",
    ]
    #expect(try room(files) == 300_000)
    files["sys/fs/cgroup/unified/a/memory.stat"] =
      "anon 7\nfile 9\ninactive_file 150000\nactive_file 20000"
    #expect(try room(files) == 470_000)
    files["sys/fs/cgroup/unified/a/b/memory.high"] = "100000"
    #expect(try room(files) == 99_000)
    files["sys/fs/cgroup/unified/a/b/memory.current"] = "100001"
    #expect(try room(files) == 0)
  }

  @Test func versionOneIsReadWhereItsMountIs() throws {
    var files = [
      "proc/meminfo": machine, "proc/self/cgroup": "4:cpu:/x\n3:memory:/job/1\n0::/",
      "proc/self/mountinfo": mounts,
      "sys/fs/cgroup/memory/job/1/memory.limit_in_bytes": "9223372036854771712",
      "sys/fs/cgroup/memory/job/1/memory.usage_in_bytes": "5",
      "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "800000",
      "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "700000",
      "sys/fs/cgroup/memory/job/memory.stat": "inactive_file 1\ntotal_inactive_file 40000",
    ]
    #expect(try room(files) == 140_000)
    // Both versions at a time: the least counts.
    files["sys/fs/cgroup/unified/memory.max"] = "70000"
    files["sys/fs/cgroup/unified/memory.current"] = "10000"
    #expect(try room(files) == 60_000)
  }

  @Test func aContainerSeesItsOwnGroupAtTheMountPoint() throws {
    let files = [
      "proc/meminfo": machine, "proc/self/cgroup": "3:memory:/docker/abc",
      "proc/self/mountinfo":
        "31 25 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "600000",
      "sys/fs/cgroup/memory/memory.usage_in_bytes": "100000",
    ]
    #expect(try room(files) == 500_000)
    // A group that is not below what is mounted, and one outside of the name space.
    for group in ["/docker/other", "/../other"] {
      var other = files
      other["proc/self/cgroup"] = "3:memory:\(group)"
      #expect(try room(other) == 500_000)
    }
  }
}
