import Core
import Glibc
import Synchronization

// The floats behind tensors, counted so that a script's collector knows what its tensors hold.

private let peak = Atomic(0)
/// The last number that `Storage.stamp` gave out.
private let numbers = Atomic(0)

/// A block of floats, aligned to a cache line unless it is small, freed when the last tensor that
/// views it is gone.
public final class Storage: @unchecked Sendable {
  /// The first element; valid as long as the storage lives: keep the storage (or its tensor) in a
  /// variable, as a temporary is freed before the pointer is used.
  public let pointer: UnsafeMutablePointer<Float>
  /// The number of floats.
  public let count: Int
  /// Counts changes in place, so that packed copies and recorded operations can detect them.
  public private(set) var version = 0
  private var number: Int?

  /// Bytes of the block from `FreedBlocks`; 0 where malloc allocated it.
  private let blockSize: Int

  /// `count` floats that are not initialised: for small buffers, and for those that
  /// `Memory.requireBuffer` has asked for.
  public init(count: Int) {
    // What grows with a script's data is made by `init(count:for:)`; for the rest there is a
    // reserve.
    let (pointer, size) = Storage.allocate(count) ?? (Storage.allocateFromReserve(count), 0)
    (self.pointer, self.count, blockSize) = (pointer, count, size)
    Storage.add(count)
  }

  /// `count` floats that are not initialised; throws where memory is short (see `Memory.check`).
  public init(count: Int, for operation: String) throws(TensorError) {
    try Memory.require(bytes: count * 4, for: operation)
    guard let (pointer, size) = Storage.allocate(count) else {
      throw .outOfMemory(Memory.shortage(bytes: count * 4, for: operation))
    }
    (self.pointer, self.count, blockSize) = (pointer, count, size)
    Storage.add(count)
  }

  private static func allocate(
    _ count: Int
  ) -> (pointer: UnsafeMutablePointer<Float>, blockSize: Int)? {
    // Whole cache lines.
    let bytes = max(64, (count * 4 + 63) / 64 * 64)
    guard bytes < FreedBlocks.smallest else {
      return FreedBlocks.take(bytes).map {
        ($0.pointer.bindMemory(to: Float.self, capacity: count), $0.size)
      }
    }
    // An aligned block of a few bytes takes several times as long, and leaves gaps behind.
    let raw = bytes <= 256 ? malloc(bytes) : aligned_alloc(64, bytes)
    return raw.map { ($0.bindMemory(to: Float.self, capacity: count), 0) }
  }

  private static func allocateFromReserve(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(64, (count * 4 + 63) / 64 * 64)
    guard let raw = aligned_alloc(64, bytes) else { Memory.exhausted(bytes: bytes) }
    return raw.bindMemory(to: Float.self, capacity: count)
  }

  private static func add(_ count: Int) {
    let now = Memory.live.add(count * 4, ordering: .relaxed).newValue
    Memory.allocated.add(count * 4, ordering: .relaxed)
    if now > peak.load(ordering: .relaxed) { peak.max(now, ordering: .relaxed) }
  }

  /// `count` zeros.
  public convenience init(zeros count: Int) {
    self.init(count: count)
    pointer.update(repeating: 0, count: count)
  }

  /// `count` zeros; throws where memory is short.
  public convenience init(zeros count: Int, for operation: String) throws(TensorError) {
    try self.init(count: count, for: operation)
    try pointer.fill(0, count: count)
  }

  deinit {
    if blockSize > 0 {
      FreedBlocks.give(FreedBlocks.Block(pointer: pointer, size: blockSize))
    } else {
      free(pointer)
    }
    Memory.live.subtract(count * 4, ordering: .relaxed)
  }

  /// Bytes held by all storages that are alive.
  public static var liveBytes: Int { Memory.live.load(ordering: .relaxed) }

  /// Bytes handed out since the start of the program.
  public static var allocatedBytes: Int { Memory.allocated.load(ordering: .relaxed) }

  /// The peak of `liveBytes` since the start or the last `resetPeak`.
  public static var peakBytes: Int { peak.load(ordering: .relaxed) }

  /// Bytes of large blocks that were allocated by the system and not reused.
  public static var freshBytes: Int { FreedBlocks.freshBytes }

  /// Resets `peakBytes` to `liveBytes`.
  public static func resetPeak() { peak.store(liveBytes, ordering: .relaxed) }

  /// Records that the contents were changed in place.
  public func didChange() {
    version += 1
    number = nil
  }

  /// A number that is unique in this process to the storage's values as they are now; a change in
  /// place gives another.
  public var stamp: Int {
    let current = number ?? numbers.add(1, ordering: .relaxed).newValue
    number = current
    return current
  }
}
