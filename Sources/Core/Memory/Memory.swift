import CMemory
import Glibc
import Synchronization

// Memory checks for scripts: too large a request is an error instead of the end of the process.

/// More bytes are needed than available.
public struct OutOfMemory: Error, Equatable, Sendable {
  /// What they are for.
  public let operation: String
  /// Bytes.
  public let needed, available: Int
}

/// What the machine has left.
public enum Memory {
  /// Bytes of live tensors, and total bytes ever allocated; `Storage` counts them.
  package static let live = Atomic(0)
  package static let allocated = Atomic(0)
  package nonisolated(unsafe) static var step = 128 << 20
  /// Headroom for small requests until the next check, and for unchecked buffers.
  package nonisolated(unsafe) static var reserve = 192 << 20
  /// Limit on all storages; for tests.
  package nonisolated(unsafe) static var limit = Int.max
  /// Less free memory than this is a shortage for any request.
  private static let least = 48 << 20
  /// `allocated` at the last check.
  private static let checked = Atomic(0)
  private static let limits = MemoryLimits()

  /// Throws if `bytes` more would not fit into free memory.
  ///
  /// Checking takes time: small requests are checked once per 128 MB allocated.
  public static func check(bytes: Int, for operation: String) throws(OutOfMemory) {
    guard
      bytes > step || allocated.load(ordering: .relaxed) - checked.load(ordering: .relaxed) > step
    else {
      return
    }
    let available = usableBytes()
    guard bytes < available else {
      throw shortage(bytes: bytes, available: available, for: operation)
    }
    // Cached blocks count as available, but only those of the right size can be reused without
    // releasing them first.
    if bytes > available - FreedBlocks.keptBytes { FreedBlocks.release() }
    checked.store(allocated.load(ordering: .relaxed), ordering: .relaxed)
  }

  /// Bytes of a buffer that the reserve covers.
  package static let smallBuffer = 8 << 20

  /// Throws if `bytes` more are not available: for Swift buffers and arrays, which cannot fail
  /// later.
  public static func checkBuffer(bytes: Int, for operation: String) throws(OutOfMemory) {
    guard bytes > smallBuffer else { return }
    try check(bytes: bytes, for: operation)
    if cm_has_room(bytes) { return }
    FreedBlocks.release()
    guard cm_has_room(bytes) else { throw shortage(bytes: bytes, for: operation) }
  }

  /// Throws if a full array cannot double: called before appending an element whose number depends
  /// on a file or text.
  @inline(__always)
  public static func checkGrowth<Element>(
    of list: [Element], for operation: String
  ) throws(OutOfMemory) {
    guard list.count == list.capacity else { return }
    try checkBuffer(bytes: 2 * list.capacity * MemoryLayout<Element>.stride, for: operation)
  }

  /// Whether the machine and the process's control groups have `bytes` more; releases cached blocks
  /// first if needed.
  public static func hasRoom(_ bytes: Int) -> Bool {
    func isEnough(_ kept: Int) -> Bool {
      let free = limits.systemBytes
      return free == .max || bytes < free + kept - least
    }
    if isEnough(0) { return true }
    guard isEnough(FreedBlocks.keptBytes + heapBytes()) else { return false }
    FreedBlocks.release()
    malloc_trim(0)
    return true
  }

  /// Ends the process with a line and status 1, where even the reserve does not have `bytes`.
  package static func exhausted(bytes: Int) -> Never { cm_exhausted(bytes) }

  /// The error for `bytes` that could not be allocated.
  package static func shortage(bytes: Int, for operation: String) -> OutOfMemory {
    shortage(bytes: bytes, available: usableBytes(), for: operation)
  }

  private static func shortage(bytes: Int, available: Int, for operation: String) -> OutOfMemory {
    OutOfMemory(operation: operation, needed: bytes, available: available)
  }

  /// Bytes that can be allocated without swapping and within the process's limits, minus the
  /// headroom; a very large number if unknown.
  ///
  /// Counts cached blocks of freed tensors as available.
  public static func usableBytes() -> Int {
    // When address space runs out, an allocation fails, but nothing is killed.
    let free = min(limits.systemBytes - reserve, limits.addressBytes - reserve / 8)
    let usable = free > 1 << 60 ? free : free + FreedBlocks.keptBytes + heapBytes()
    return max(0, min(usable, limit - live.load(ordering: .relaxed) - reserve))
  }

  /// The most bytes of freed tensors that are kept where tensors hold `peak` bytes at most.
  public static func mostKept(beyond peak: Int) -> Int { FreedBlocks.mostBeyond(peak) }

  /// Bytes of freed tensors that are kept.
  public static var keptBytes: Int { FreedBlocks.keptBytes }

  /// Freed bytes that malloc keeps.
  private static func heapBytes() -> Int { Int(cm_heap_bytes()) }

  /// Makes malloc return blocks of a megabyte and more to the system as soon as they are freed:
  /// `FreedBlocks` does the caching.
  public static func returnFreedMemory() {
    _ = mallopt(-3, 1 << 20)  // M_MMAP_THRESHOLD, which would grow to 32 MB
    _ = mallopt(-1, 64 << 20)  // M_TRIM_THRESHOLD
  }
}

// malloc.h is not part of the Glibc module.
@_silgen_name("mallopt") private func mallopt(_ parameter: Int32, _ value: Int32) -> Int32
@discardableResult
@_silgen_name("malloc_trim") private func malloc_trim(_ pad: Int) -> Int32
