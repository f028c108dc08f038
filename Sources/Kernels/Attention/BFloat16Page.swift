// Pages of a cache whose keys and values are rounded to bfloat16: half the memory that decoding
// reads for each token.
//
// The layout is that of float32 pages, [KV][keys [D][tokens], values [tokens][D]], with two columns
// to a word: a row of keys holds tokens t and t + 16, a value elements d and d + 16, padded to a
// multiple of 32 (see `TileElement`).

/// The layout of a page of `tokens` tokens, a multiple of 32. Counts are in words of 32 bits.
public struct BFloat16Page: Sendable {
  let heads: Int
  let size: Int
  let tokens: Int

  /// A page for heads of `size` floats.
  public init(tokens: Int, heads: Int, size: Int) {
    (self.tokens, self.heads, self.size) = (tokens, heads, size)
  }

  /// Stride between elements of the keys.
  var keyStride: Int { tokens / 2 }
  /// Stride between the values of tokens.
  var valueStride: Int { (size + 31) / 32 * 16 }
  /// The keys of a head.
  var keysCount: Int { size * keyStride }
  /// The keys and values of a head.
  var headCount: Int { keysCount + tokens * valueStride }
  /// Words of a page.
  public var count: Int { heads * headCount }

  /// Rounds a token's key and value [D] of one head into place `slot`.
  public func store(
    _ key: UnsafePointer<Float>, _ value: UnsafePointer<Float>, head: Int,
    page: UnsafeMutablePointer<Float>, slot: Int
  ) {
    let keys = UnsafeMutableRawPointer(page + head * headCount)
    let column = slot / 32 * 32 + slot % 16 * 2 + slot / 16 % 2
    storeKey(key, into: keys.assumingMemoryBound(to: UInt16.self) + column)
    let values = keys.assumingMemoryBound(to: UInt32.self) + keysCount
    storeValue(value, into: values + slot * valueStride)
  }

  private func storeKey(_ key: UnsafePointer<Float>, into keys: UnsafeMutablePointer<UInt16>) {
    for d in 0..<size { keys[d * tokens] = bfloat16(key[d]) }
  }

  private func storeValue(_ value: UnsafePointer<Float>, into words: UnsafeMutablePointer<UInt32>) {
    let whole = size / 32 * 32
    for first in stride(from: 0, to: whole, by: 32) {
      let low = bfloat16Bits(Vector(at: value + first)) &>> 16
      let words = UnsafeMutableRawPointer(words + first / 2)
      words.storeBytes(
        of: low | bfloat16Bits(Vector(at: value + first + 16)), as: SIMD16<UInt32>.self)
    }
    for d in whole..<size {
      let half = UInt32(bfloat16(value[d]))
      let word = whole / 2 + d % 16
      words[word] = d % 32 < 16 ? half : words[word] | half << 16
    }
  }
}
