import Glibc

// Memory limits reported by the kernel: the machine's, those of the process's control groups
// (containers, batch systems; v1 and v2), and its address-space limit. This file only reads them;
// Memory.swift decides.

/// The limits on a process, read from the files of the kernel under `root`.
public struct MemoryLimits: Sendable {
  private let root: String
  /// The process's groups and their parents.
  private let groups: [Group]

  /// A control group's folder, and its file names.
  private struct Group {
    let folder: String
    let isFirstVersion: Bool
  }

  /// The limits of this process, or those in a copy of the kernel's files.
  public init(root: String = "") {
    self.root = root
    let mounts = Self.text(root + "/proc/self/mountinfo").split(separator: "\n")
    var groups: [Group] = []
    for line in Self.text(root + "/proc/self/cgroup").split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isFirst = fields[1].split(separator: ",").contains("memory")
      guard isFirst || (fields[0] == "0" && fields[1].isEmpty) else { continue }
      guard let mount = mounts.lazy.compactMap({ Mount($0, isFirst) }).first else { continue }
      groups += mount.folders(of: String(fields[2])).map {
        Group(folder: root + $0, isFirstVersion: isFirst)
      }
    }
    self.groups = groups
  }

  /// Bytes available from the machine and the groups without swapping, counting the file cache as
  /// free; `Int.max` if unknown.
  public var systemBytes: Int {
    let machine = value(of: "MemAvailable:", in: Self.text(root + "/proc/meminfo"))
    return groups.reduce(machine.map { $0 * 1024 } ?? .max) { min($0, room(in: $1)) }
  }

  /// Bytes of address space left by `ulimit -v`; `Int.max` without a limit.
  public var addressBytes: Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur < rlim_t(Int.max),
      let pages = Self.text(root + "/proc/self/statm").split(separator: " ").first.flatMap({
        Int($0)
      })
    else { return .max }
    return max(0, Int(limit.rlim_cur) - pages * sysconf(Int32(_SC_PAGESIZE)))
  }

  private func room(in group: Group) -> Int {
    let folder = group.folder
    let names =
      group.isFirstVersion ? ["memory.limit_in_bytes"] : ["memory.max", "memory.high"]
    guard let limit = names.compactMap({ number(in: "\(folder)/\($0)") }).min(),
      let used = number(
        in: folder + (group.isFirstVersion ? "/memory.usage_in_bytes" : "/memory.current"))
    else { return .max }
    let statistics = Self.text(folder + "/memory.stat")
    let prefix = group.isFirstVersion ? "total_" : ""
    let cache = ["inactive_file", "active_file"].reduce(0) {
      $0 + (value(of: prefix + $1, in: statistics) ?? 0)
    }
    return max(0, limit - max(0, used - cache))
  }

  private func number(in path: String) -> Int? {
    Int(Self.text(path).prefix { $0 != "\n" })
  }

  private func value(of name: String, in text: String) -> Int? {
    let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
    return line?.split(separator: " ").lazy.compactMap { Int($0) }.first
  }

  /// The text of a file of the kernel; empty where there is none.
  private static func text(_ path: String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var text: [UInt8] = []
    var page = [UInt8](repeating: 0, count: 4096)
    while case let count = read(file, &page, page.count), count > 0, text.count < 1 << 20 {
      text += page[..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// The mount points of a control-group version.
private struct Mount {
  /// The group that is at the mount point.
  let root: String
  let point: String

  /// Parses a line of mountinfo; nil if it is about something else.
  init?(_ line: Substring, _ isFirstVersion: Bool) {
    let fields = line.split(separator: " ")
    guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3,
      fields[dash + 1] == (isFirstVersion ? "cgroup" : "cgroup2"),
      !isFirstVersion || fields[dash + 3].split(separator: ",").contains("memory")
    else { return nil }
    (root, point) = (String(fields[3]), String(fields[4]))
  }

  /// The visible folders of a group and its parents.
  func folders(of group: String) -> [String] {
    var path = group
    if root != "/" {
      // If the group is not below the mount, only the mount point is known.
      path = group == root || group.hasPrefix(root + "/") ? String(group.dropFirst(root.count)) : ""
    }
    let parts = path.split(separator: "/")
    guard !parts.contains("..") else { return [point] }
    return (0...parts.count).reversed().map {
      ([Substring(point)] + parts.prefix($0)).joined(separator: "/")
    }
  }
}
