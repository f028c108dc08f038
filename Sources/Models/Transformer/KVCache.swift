import Kernels
import Tensors

// Keys and values of the tokens already seen, in pages that sequences share: n samples of one prompt keep one copy of it.

/// The pages of a model's cache; a page holds the keys and values of up to 64 tokens in all layers.
public final class KVCache {
  static let pageTokens = 64
  let layers: Int
  let heads: Int
  let headSize: Int
  private var free: [Storage] = []

  /// An empty cache for a model.
  public init(_ configuration: ModelConfiguration) {
    layers = configuration.layerCount
    heads = configuration.keyValueHeadCount
    headSize = configuration.headSize
  }

  /// Floats of the keys or values of a page in one layer.
  private var block: Int { KVCache.pageTokens * heads * headSize }

  /// Bytes of cache per token of a sequence.
  public static func bytesPerToken(_ c: ModelConfiguration) -> Int {
    c.layerCount * 2 * c.keyValueHeadCount * c.headSize * 4
  }

  /// One page, laid out [layer][keys, values]: keys in blocks of 16 per head (see `KeyValueSegment`), values by token.
  ///
  /// Its memory returns to the cache when no sequence holds it.
  final class Page {
    let storage: Storage
    private let cache: KVCache

    init(_ cache: KVCache) throws(TensorError) {
      self.cache = cache
      if let freed = cache.free.popLast() {
        storage = freed
      } else {
        storage = try Storage(count: cache.layers * 2 * cache.block, for: "key-value cache")
      }
    }

    deinit { cache.free.append(storage) }

    func keys(_ layer: Int) -> UnsafeMutablePointer<Float> {
      storage.pointer + layer * 2 * cache.block
    }

    func values(_ layer: Int) -> UnsafeMutablePointer<Float> {
      keys(layer) + cache.block
    }

    /// Writes the keys and values [KV·D] of the token at `slot`.
    func store(
      _ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>, layer: Int, slot: Int
    ) {
      let size = cache.headSize
      for head in 0..<cache.heads {
        storeKey(
          k + head * size, size: size, slot: slot,
          into: keys(layer) + head * KVCache.pageTokens * size)
      }
      let width = cache.heads * size
      (values(layer) + slot * width).update(from: v, count: width)
    }
  }

  /// What one sequence has seen.
  public final class Sequence {
    fileprivate var pages: [(page: Page, count: Int)] = []
    /// Pages before this one may be shared and are not written any more.
    fileprivate var firstOwnPage = 0
    /// Tokens seen.
    public private(set) var length = 0
    private let cache: KVCache

    fileprivate init(_ cache: KVCache) { self.cache = cache }

    /// A sequence that has seen the same tokens and shares their pages.
    public func fork() -> Sequence {
      let copy = Sequence(cache)
      copy.pages = pages
      copy.firstOwnPage = pages.count
      copy.length = length
      // From here on this sequence does not write into the shared pages either.
      firstOwnPage = pages.count
      return copy
    }

    /// Makes room for one more token and returns its place.
    fileprivate func reserve() throws(TensorError) -> (page: Page, slot: Int) {
      if pages.count == firstOwnPage || pages[pages.count - 1].count == KVCache.pageTokens {
        pages.append((try Page(cache), 0))
      }
      let last = pages.count - 1
      let slot = pages[last].count
      pages[last].count += 1
      length += 1
      return (pages[last].page, slot)
    }

    fileprivate func segments(_ layer: Int) -> [KeyValueSegment] {
      pages.map {
        KeyValueSegment(
          keys: $0.page.keys(layer), keyHeadStride: KVCache.pageTokens * cache.headSize,
          values: $0.page.values(layer), count: $0.count)
      }
    }
  }

  /// A sequence that has seen nothing.
  public func newSequence() -> Sequence { Sequence(self) }
}

/// The sequences of one forward pass, with room made for the pass's tokens.
public struct CacheBatch {
  private let sequences: [KVCache.Sequence]
  private let places: [(page: KVCache.Page, slot: Int)]
  private let width: Int

  /// Makes room for `lengths[s]` new tokens in sequence s; throws where memory is short.
  public init(_ cache: KVCache, _ sequences: [KVCache.Sequence], lengths: [Int]) throws {
    self.sequences = sequences
    width = cache.heads * cache.headSize
    places = try zip(sequences, lengths).flatMap { sequence, length in
      try (0..<length).map { _ in try sequence.reserve() }
    }
  }

  /// Writes the new tokens' keys and values [N, KV·D] of one layer and returns all segments of every sequence.
  ///
  /// Sequence s has `segments[bounds[s] ..< bounds[s + 1]]`.
  func store(_ k: Tensor, _ v: Tensor, layer: Int) -> (segments: [KeyValueSegment], bounds: [Int]) {
    for (row, place) in places.enumerated() {
      place.page.store(
        k.pointer + row * width, v.pointer + row * width, layer: layer, slot: place.slot)
    }
    var segments: [KeyValueSegment] = []
    var bounds = [0]
    for sequence in sequences {
      segments += sequence.segments(layer)
      bounds.append(segments.count)
    }
    return (segments, bounds)
  }
}
