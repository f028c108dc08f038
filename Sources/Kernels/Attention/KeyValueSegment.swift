// The layout that attention reads: transposed keys in blocks of sixteen (see KeyBlocks.swift),
// values by rows.

/// Consecutive keys and values of all key-value heads.
///
/// Distances are in words of 32 bits, whatever the type.
public struct KeyValueSegment {
  /// The format of keys and values: float32, or bfloat16 with two numbers to a word (see
  /// `TileElement`).
  public let type: ScalarType
  /// The first element of the first head's keys: a block is sixteen keys side by side, element by
  /// element.
  public var keys: UnsafePointer<Float>
  /// Words from one head's keys to the next head's, from one block to the next, and from one
  /// element to the next.
  public let keyHeadStride, keyBlockStride, keyElementStride: Int
  /// The first head's first value.
  public var values: UnsafePointer<Float>
  /// Words from one head's values to the next head's, and from one value of a head to the next.
  public let valueHeadStride, valueStride: Int
  /// Keys in the segment.
  public let count: Int

  /// `count` keys in blocks [⌈count/16⌉][D][16] for each head, and values [count, KV·D].
  public init(
    keys: UnsafePointer<Float>, keyHeadStride: Int, values: UnsafePointer<Float>,
    shape: AttentionShape, count: Int
  ) {
    type = .float32
    self.keys = keys
    self.keyHeadStride = keyHeadStride
    (keyBlockStride, keyElementStride) = (keyBlock * shape.size, keyBlock)
    self.values = values
    (valueHeadStride, valueStride) = (shape.size, shape.stride)
    self.count = count
  }

  /// The first `count` keys and values of a page [KV][keys, values] of `tokens` tokens: keys
  /// [D][tokens] and values [tokens][D].
  ///
  /// A head's data are two contiguous runs of memory, which the hardware prefetcher follows.
  public init(page: UnsafePointer<Float>, tokens: Int, size: Int, count: Int) {
    let part = tokens * size
    type = .float32
    keys = page
    (keyHeadStride, keyBlockStride, keyElementStride) = (2 * part, keyBlock, tokens)
    values = page + part
    (valueHeadStride, valueStride) = (2 * part, size)
    self.count = count
  }

  /// The same where the page holds bfloat16 (see `BFloat16Page`).
  public init(bfloat16 page: UnsafePointer<Float>, _ layout: BFloat16Page, count: Int) {
    type = .bfloat16
    keys = page
    (keyBlockStride, keyElementStride) = (keyBlock / 2, layout.keyStride)
    values = page + layout.keysCount
    valueStride = layout.valueStride
    (keyHeadStride, valueHeadStride) = (layout.headCount, layout.headCount)
    self.count = count
  }

  /// Where a head's keys begin.
  func keys(of head: Int) -> UnsafePointer<Float> { keys + head * keyHeadStride }

  /// Where a head's values begin.
  func values(of head: Int) -> UnsafePointer<Float> { values + head * valueHeadStride }

  /// The block that loading begins with to get the key at `index`: blocks of bfloat16 are loaded in
  /// pairs.
  func firstBlock(_ index: Int) -> Int {
    type == .bfloat16 ? index / (2 * keyBlock) * 2 : index / keyBlock
  }
}

extension UnsafeBufferPointer<KeyValueSegment> {
  /// Calls `body` with each segment that has keys at positions that are seen, where the first one's
  /// first is at `start`.
  ///
  /// It is told which of the segment's keys, the place of the first of them among what is seen, and
  /// the next segment.
  @inline(__always)
  func forEach(
    seen: Range<Int>, from start: Int,
    _ body: (
      _ segment: KeyValueSegment, _ keys: Range<Int>, _ place: Int, _ next: KeyValueSegment?
    ) -> Void
  ) {
    var start = start
    for (index, segment) in enumerated() where start < seen.upperBound {
      let keys = seen.clamped(to: start..<start + segment.count)
      if !keys.isEmpty {
        body(
          segment, keys.lowerBound - start..<keys.upperBound - start,
          keys.lowerBound - seen.lowerBound, index + 1 < count ? self[index + 1] : nil)
      }
      start += segment.count
    }
  }
}

/// Writes one head's key and value [D] of a token to place `slot` of a page (see
/// `KeyValueSegment.init(page:)`).
public func storeKeyValue(
  _ key: UnsafePointer<Float>, _ value: UnsafePointer<Float>, head: Int, size: Int,
  page: UnsafeMutablePointer<Float>, tokens: Int, slot: Int
) {
  let keys = page + 2 * head * tokens * size
  for d in 0..<size { keys[d * tokens + slot] = key[d] }
  (keys + (tokens + slot) * size).update(from: value, count: size)
}
