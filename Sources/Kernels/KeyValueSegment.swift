// What attention reads: keys across, in blocks of sixteen (see KeyBlocks.swift), and values by rows.

/// Consecutive keys and values of all key-value heads.
public struct KeyValueSegment {
  /// The keys of head h begin at `h * keyHeadStride`, in blocks of 16 keys, [⌈count/16⌉][D][16].
  public var keys: UnsafePointer<Float>
  /// Floats from one head's keys to the next head's.
  public var keyHeadStride: Int
  /// Values by rows, [count, KV·D].
  public var values: UnsafePointer<Float>
  /// Keys in the segment.
  public var count: Int

  /// A segment of `count` keys and values.
  public init(
    keys: UnsafePointer<Float>, keyHeadStride: Int, values: UnsafePointer<Float>, count: Int
  ) {
    self.keys = keys
    self.keyHeadStride = keyHeadStride
    self.values = values
    self.count = count
  }
}
