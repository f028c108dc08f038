import Glibc
import Synchronization

// Allocation that a script can reach: too large a request is an error and not the end of the process.

extension Tensor {
  /// A tensor of uninitialised elements for the result of an operation that a script asked for.
  ///
  /// Throws if the shape has a negative size, has more elements than can be addressed, or needs more memory than is free.
  public static func result(_ shape: [Int], for operation: String) throws(TensorError) -> Tensor {
    let count = try checkedCount(shape, for: operation)
    return Tensor(storage: try Storage(count: count, for: operation), shape: shape)
  }

  /// The number of elements of `shape`; throws if a size is negative, or there are more than 64 or too large ones.
  static func checkedCount(_ shape: [Int], for operation: String) throws(TensorError) -> Int {
    var product = 1
    var isEmpty = false
    for size in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: max(1, size))
      guard size >= 0, !overflow, next < 1 << 48, shape.count <= 64 else {
        throw .impossibleShape(operation: operation, shape)
      }
      product = next
      if size == 0 { isEmpty = true }
    }
    return isEmpty ? 0 : product
  }

  /// Like `result`, filled with zeros.
  public static func zeroResult(_ shape: [Int], for operation: String) throws(TensorError) -> Tensor
  {
    let tensor = try result(shape, for: operation)
    tensor.pointer.update(repeating: 0, count: tensor.count)
    return tensor
  }
}

/// What the machine has left.
public enum Memory {
  package nonisolated(unsafe) static var step = 128 << 20
  /// What stays free: for the small requests until the next check, and for buffers that are not checked.
  package nonisolated(unsafe) static var reserve = 192 << 20
  /// What storages may hold in all; for tests.
  package nonisolated(unsafe) static var limit = Int.max
  /// `Storage.allocatedBytes` at the last check.
  private static let checked = Atomic(0)

  /// Throws when `bytes` more would not fit into the memory that is free now.
  ///
  /// Looking takes time: small requests are checked once in 128 MB that were handed out.
  public static func check(bytes: Int, for operation: String) throws(TensorError) {
    guard bytes > step || Storage.allocatedBytes - checked.load(ordering: .relaxed) > step else {
      return
    }
    let available = usableBytes()
    guard bytes < available else {
      throw shortage(bytes: bytes, available: available, for: operation)
    }
    // Cached blocks count as available, but only those of the right size can be reused without releasing them first.
    if bytes > available - FreedBlocks.keptBytes { FreedBlocks.release() }
    checked.store(Storage.allocatedBytes, ordering: .relaxed)
  }

  /// The error about `bytes` that are not available.
  static func shortage(bytes: Int, for operation: String) -> TensorError {
    shortage(bytes: bytes, available: usableBytes(), for: operation)
  }

  private static func shortage(bytes: Int, available: Int, for operation: String) -> TensorError {
    .outOfMemory(operation: operation, needed: bytes, available: available)
  }

  /// Bytes that `check` lets have: `availableBytes` without what stays free.
  public static func usableBytes() -> Int { max(0, availableBytes() - reserve) }

  /// Bytes that can be allocated without swapping and within the process's limit; `Int.max` where that is not known.
  ///
  /// Cached blocks count as available.
  public static func availableBytes() -> Int {
    min(systemBytes(), limit - Storage.liveBytes)
  }

  private static func systemBytes() -> Int {
    let pages = numbers(in: "/proc/self/statm")
    guard pages.count > 1, let machine = value(of: "MemAvailable:", in: "/proc/meminfo") else {
      return .max
    }
    let free = min(machine * 1024, containerBytes())
    let page = sysconf(Int32(_SC_PAGESIZE))
    let kept = max(0, pages[1] * page - Storage.liveBytes)
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur < rlim_t(Int.max)
    else { return free + kept }
    return min(free, max(0, Int(limit.rlim_cur) - pages[0] * page)) + kept
  }

  /// What the container may still use (cgroup 2), counting the file cache as free; `Int.max` outside of one.
  private static func containerBytes() -> Int {
    let folder = "/sys/fs/cgroup/memory"
    guard let limit = numbers(in: folder + ".max").first,
      let used = numbers(in: folder + ".current").first
    else { return .max }
    return max(0, limit - used + (value(of: "inactive_file", in: folder + ".stat") ?? 0))
  }

  private static func value(of name: String, in path: String) -> Int? {
    let line = text(of: path).split(separator: "\n").first { $0.hasPrefix(name) }
    return line?.split(separator: " ").lazy.compactMap { Int($0) }.first
  }

  private static func numbers(in path: String) -> [Int] {
    text(of: path).split { " \n".contains($0) }.compactMap { Int($0) }
  }

  /// The first page of a file of the kernel; empty where there is no such file.
  private static func text(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
  }

  /// Makes malloc return blocks of a megabyte and more to the system as soon as they are freed: `FreedBlocks` does the caching.
  public static func returnFreedMemory() {
    _ = mallopt(-3, 1 << 20)  // M_MMAP_THRESHOLD, which would grow to 32 MB
    _ = mallopt(-1, 64 << 20)  // M_TRIM_THRESHOLD
  }
}

// malloc.h is not part of the Glibc module.
@_silgen_name("mallopt") private func mallopt(_ parameter: Int32, _ value: Int32) -> Int32
