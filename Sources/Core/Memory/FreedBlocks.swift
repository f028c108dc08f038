import CMemory
import Glibc
import Synchronization

// A caching allocator: freed blocks of tensors are reused by requests of the same size.
//
// A training step asks for the same sizes as the one before it, and a page that the kernel hands
// out anew is cleared first: that was a quarter of the time of a step. A request may get a block
// that is up to a quarter larger, so that batches of different lengths share them. What is kept is
// bounded by what the program held at its peak: keeping blocks adds at most `mostBeyond(peak)` to
// the memory that it needs without.

/// The cached blocks; all functions may be called from any thread.
package enum FreedBlocks {
  /// Smaller blocks are left to malloc, which keeps them itself.
  package static let smallest = 4096
  private static let sizesPerOctave = 32
  /// Keeps phases with few large blocks and phases with many small ones from evicting each other's.
  package static let slack = 128 << 20

  /// Bytes that blocks in use and cached ones may take together beyond a peak of blocks in use.
  static func mostBeyond(_ peak: Int) -> Int { max(slack, peak / 16) }

  private struct Contents {
    /// Blocks by size class.
    var blocks = [[UnsafeMutableRawPointer]](repeating: [], count: 64 * sizesPerOctave)
    /// Bytes of all cached blocks.
    var kept = 0
    /// Peak bytes of blocks in use since the start of the program.
    var peak = 0
    var inUse = 0
  }

  private static let lock = Mutex(())
  private nonisolated(unsafe) static var contents = Contents()
  private static let fresh = Atomic(0)

  /// Bytes of cached blocks.
  package static var keptBytes: Int { lock.withLock { _ in contents.kept } }

  /// Peak bytes of blocks in use.
  package static var peakBytes: Int { lock.withLock { _ in contents.peak } }

  /// Total bytes of large blocks allocated by the system.
  package static var freshBytes: Int { fresh.load(ordering: .relaxed) }

  /// Memory from `take`: at least the requested bytes, aligned to a cache line.
  package struct Block {
    package let pointer: UnsafeMutableRawPointer
    package let size: Int

    package init(pointer: UnsafeMutableRawPointer, size: Int) {
      (self.pointer, self.size) = (pointer, size)
    }
  }

  /// An uninitialised block of at least `bytes` bytes; nil if out of memory.
  package static func take(_ bytes: Int) -> Block? {
    let (first, size) = sizeClass(bytes)
    let (kept, excess) = lock.withLock { _ -> (Block?, Int) in
      for index in first...first + sizesPerOctave / 4 {
        guard let pointer = contents.blocks[index].popLast() else { continue }
        let block = Block(pointer: pointer, size: self.size(ofClass: index))
        contents.kept -= block.size
        use(block.size)
        return (block, 0)
      }
      contents.inUse += size
      let peak = max(contents.peak, contents.inUse)
      return (nil, contents.inUse + contents.kept - peak - mostBeyond(peak))
    }
    if let kept { return kept }
    if excess > 0 { release(atLeast: excess) }
    var block = allocate(size)
    if block == nil {
      release()
      block = allocate(size)
    }
    lock.withLock { _ in
      if block == nil { contents.inUse -= size }
      contents.peak = max(contents.peak, contents.inUse)
    }
    return block
  }

  private static func use(_ size: Int) {
    contents.inUse += size
    contents.peak = max(contents.peak, contents.inUse)
  }

  private static func allocate(_ size: Int) -> Block? {
    guard let pointer = cm_try_aligned(64, size) else { return nil }
    fresh.add(size, ordering: .relaxed)
    return Block(pointer: pointer, size: size)
  }

  /// Returns a block obtained from `take`.
  package static func give(_ block: Block) {
    let (index, size) = sizeClass(block.size)
    lock.withLock { _ in
      contents.inUse -= size
      contents.kept += size
      contents.blocks[index].append(block.pointer)
    }
  }

  /// Frees cached blocks, largest first, until `bytes` are released.
  package static func release(atLeast bytes: Int = .max) {
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

  /// The class of a request, and the size of its blocks: the next of 32 steps between powers of
  /// two.
  private static func sizeClass(_ bytes: Int) -> (index: Int, size: Int) {
    let octave = Int.bitWidth - 1 - bytes.leadingZeroBitCount
    let step = (1 << octave) / sizesPerOctave
    let steps = (bytes + step - 1) / step  // 32 to 64
    return (octave * sizesPerOctave + steps - sizesPerOctave, steps * step)
  }

  private static func size(ofClass index: Int) -> Int {
    let (octave, steps) = index.quotientAndRemainder(dividingBy: sizesPerOctave)
    return (1 << octave) / sizesPerOctave * (steps + sizesPerOctave)
  }
}
