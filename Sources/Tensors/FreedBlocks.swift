import Glibc
import Synchronization

// Freed blocks of tensors, kept for the next request of their size.
//
// A training step asks for the same sizes as the one before it, and a page that the kernel hands out anew is cleared
// first: that was a quarter of the time of a step. Blocks come in sizes of eight steps per octave, so that batches of
// slightly different lengths share them. What is kept is bounded by what the program held at its peak: keeping blocks adds
// at most a sixteenth to the memory that it needs without.

/// The blocks that wait for another use; all functions may be called from any thread.
enum FreedBlocks {
  /// Smaller blocks are left to malloc, which keeps them itself.
  static let smallest = 4096
  private static let sizesPerOctave = 8

  private struct Contents {
    /// Blocks by class of size.
    var blocks = [[UnsafeMutableRawPointer]](repeating: [], count: 64 * sizesPerOctave)
    /// Bytes of all blocks that wait.
    var kept = 0
    /// The most bytes of blocks in use at a time since the start of the program.
    var peak = 0
    var inUse = 0
  }

  private static let lock = Mutex(())
  private nonisolated(unsafe) static var contents = Contents()
  private static let fresh = Atomic(0)

  /// Bytes that wait for another use.
  static var keptBytes: Int { lock.withLock { _ in contents.kept } }

  /// Bytes of large blocks that were ever had from the system.
  static var freshBytes: Int { fresh.load(ordering: .relaxed) }

  /// A block of at least `bytes` bytes on a cache line's boundary, not initialised; nil where there is no memory.
  static func take(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let (index, size) = sizeClass(bytes)
    let (block, excess) = lock.withLock { _ -> (UnsafeMutableRawPointer?, Int) in
      contents.inUse += size
      contents.peak = max(contents.peak, contents.inUse)
      if let block = contents.blocks[index].popLast() {
        contents.kept -= size
        return (block, 0)
      }
      return (nil, contents.inUse + contents.kept - contents.peak - contents.peak / 16)
    }
    if let block { return block }
    if excess > 0 { release(atLeast: excess) }
    if let block = allocate(size) { return block }
    release()
    if let block = allocate(size) { return block }
    lock.withLock { _ in contents.inUse -= size }
    return nil
  }

  private static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
    fresh.add(size, ordering: .relaxed)
    return aligned_alloc(64, size)
  }

  /// Takes back a block that `take` gave for `bytes`.
  static func give(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    let (index, size) = sizeClass(bytes)
    lock.withLock { _ in
      contents.inUse -= size
      contents.kept += size
      contents.blocks[index].append(block)
    }
  }

  /// Gives blocks back to the system, the largest first, until `bytes` are gone.
  static func release(atLeast bytes: Int = .max) {
    let released = lock.withLock { _ in
      var released: [UnsafeMutableRawPointer] = []
      var gone = 0
      for index in contents.blocks.indices.reversed() {
        while gone < bytes, let block = contents.blocks[index].popLast() {
          released.append(block)
          gone += size(ofClass: index)
        }
      }
      contents.kept -= gone
      return released
    }
    for block in released { free(block) }
  }

  /// The class of a request, and the size of its blocks: the next of eight steps between powers of two.
  private static func sizeClass(_ bytes: Int) -> (index: Int, size: Int) {
    let octave = Int.bitWidth - 1 - bytes.leadingZeroBitCount
    let step = 1 << (octave - 3)
    let steps = (bytes + step - 1) / step  // 8 to 16
    let index = octave * sizesPerOctave + steps - sizesPerOctave
    return (index, steps * step)
  }

  private static func size(ofClass index: Int) -> Int {
    (index % sizesPerOctave + sizesPerOctave) << (index / sizesPerOctave - 3)
  }
}
