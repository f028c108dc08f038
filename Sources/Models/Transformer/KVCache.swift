import Kernels
import Synchronization
import Tensors

// Keys and values of the tokens already seen, in pages that sequences share: n samples of one
// prompt keep one copy of it.

/// The pages of a model's cache; a page holds the keys and values of up to 64 tokens in all layers.
///
/// Threads may use different sequences at the same time; shared pages are never written.
public final class KVCache: Sendable {
  /// The formats that keys and values can be stored in.
  public static let types: [ScalarType] = [.float32, .bfloat16]

  static let pageTokens = 64
  let layers: Int
  let heads: Int
  let headSize: Int
  /// The layout of one layer of a bfloat16 page; nil where pages hold float32.
  private let bfloat16Page: BFloat16Page?
  private let free = Mutex<[Storage]>([])

  /// An empty cache of the model's KV-cache dtype.
  public init(_ model: Transformer) {
    let c = model.configuration.architecture
    layers = c.layerCount
    heads = c.keyValueHeadCount
    headSize = c.headSize
    bfloat16Page = KVCache.bfloat16Page(c, model.keyValueType)
  }

  private static func bfloat16Page(_ c: Architecture, _ type: ScalarType) -> BFloat16Page? {
    type != .bfloat16
      ? nil : BFloat16Page(tokens: pageTokens, heads: c.keyValueHeadCount, size: c.headSize)
  }

  /// The size of one layer of a page, in words of four bytes.
  fileprivate var block: Int { bfloat16Page?.count ?? 2 * KVCache.pageTokens * heads * headSize }

  /// Bytes of cache per token of a sequence.
  public static func bytesPerToken(_ c: Architecture, _ type: ScalarType) -> Int {
    let floats = 2 * c.keyValueHeadCount * c.headSize
    return c.layerCount * (bfloat16Page(c, type).map { $0.count / pageTokens } ?? floats) * 4
  }

  /// One page, laid out [layer][KV][keys, values] (see `KeyValueSegment` and `BFloat16Page`).
  ///
  /// Its memory returns to the cache when no sequence holds it.
  final class Page {
    let storage: Storage
    private let cache: KVCache

    init(_ cache: KVCache) throws(TensorError) {
      self.cache = cache
      if let freed = cache.free.withLock({ $0.popLast() }) {
        storage = freed
      } else {
        storage = try Storage(count: cache.layers * cache.block, for: "key-value cache")
      }
    }

    deinit {
      let storage = storage
      cache.free.withLock { $0.append(storage) }
    }
  }

  /// Writes a token's key and value [D] of one head to a layer of its page.
  fileprivate func store(
    _ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>, layer: Int, head: Int,
    at place: CacheBatch.Place
  ) {
    let page = place.page + layer * block
    if let bfloat16Page {
      return bfloat16Page.store(k, v, head: head, page: page, slot: place.slot)
    }
    storeKeyValue(
      k, v, head: head, size: headSize, page: page, tokens: KVCache.pageTokens, slot: place.slot)
  }

  /// The first layer's keys and values of the first `count` tokens of a page.
  fileprivate func segment(_ page: Page, _ count: Int) -> KeyValueSegment {
    let pointer = page.storage.pointer
    if let bfloat16Page { return KeyValueSegment(bfloat16: pointer, bfloat16Page, count: count) }
    return KeyValueSegment(
      page: pointer, tokens: KVCache.pageTokens, size: headSize, count: count)
  }

  /// The cached tokens of one sequence.
  public final class Sequence {
    fileprivate var pages: [(page: Page, count: Int)] = []
    /// Pages before this one may be shared and are read-only.
    fileprivate var firstOwnPage = 0
    /// Number of cached tokens.
    public private(set) var length = 0
    private let cache: KVCache

    fileprivate init(_ cache: KVCache) { self.cache = cache }

    /// A sequence with the same tokens, which shares their pages.
    public func fork() -> Sequence {
      let copy = Sequence(cache)
      copy.pages = pages
      copy.firstOwnPage = pages.count
      copy.length = length
      // From here on the shared pages are read-only for this sequence too.
      firstOwnPage = pages.count
      return copy
    }

    /// Reserves a slot for one more token.
    fileprivate func reserve() throws(TensorError) -> CacheBatch.Place {
      if pages.count == firstOwnPage || pages[pages.count - 1].count == KVCache.pageTokens {
        pages.append((try Page(cache), 0))
      }
      let last = pages.count - 1
      let slot = pages[last].count
      pages[last].count += 1
      length += 1
      return CacheBatch.Place(page: pages[last].page.storage.pointer, slot: slot)
    }

    /// Adds the segments of the first layer.
    fileprivate func addSegments(to segments: inout [KeyValueSegment]) {
      for (page, count) in pages { segments.append(cache.segment(page, count)) }
    }
  }

  /// An empty sequence.
  public func newSequence() -> Sequence { Sequence(self) }
}

/// The sequences of one forward pass, with slots reserved for the pass's tokens.
///
/// An object and its buffers are reused from pass to pass.
public final class CacheBatch {
  /// Where the keys and values of a new token go.
  fileprivate struct Place {
    let page: UnsafeMutablePointer<Float>
    let slot: Int
  }

  private let cache: KVCache
  /// Keeps the pages alive that `places` and `segments` point into.
  private var sequences: [KVCache.Sequence] = []
  private var places: [Place] = []
  /// Segments of `layer`, of sequence s from `bounds[s]` to `bounds[s + 1]`; those of the next
  /// layer are at a constant offset.
  private var segments: [KeyValueSegment] = []
  private var bounds = [0]
  private var layer = 0

  /// A batch without sequences; a pass starts with `begin`.
  init(_ cache: KVCache) { self.cache = cache }

  /// Reserves slots for `lengths[s]` new tokens in sequence s; throws where memory is short.
  public convenience init(
    _ cache: KVCache, _ sequences: [KVCache.Sequence], lengths: [Int]
  ) throws {
    self.init(cache)
    begin()
    for (sequence, length) in zip(sequences, lengths) { try add(sequence, length: length) }
  }

  /// Clears the sequences of the last pass.
  func begin() {
    sequences.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    segments.removeAll(keepingCapacity: true)
    bounds.removeAll(keepingCapacity: true)
    bounds.append(0)
    layer = 0
  }

  /// Adds a sequence to the pass and reserves slots for `length` new tokens; throws where memory is
  /// short.
  func add(_ sequence: KVCache.Sequence, length: Int) throws(TensorError) {
    sequences.append(sequence)
    for _ in 0..<length { places.append(try sequence.reserve()) }
    sequence.addSegments(to: &segments)
    bounds.append(segments.count)
  }

  /// Stores the keys and values of the new tokens in one layer, and attends over all tokens of
  /// their sequences.
  ///
  /// q [N, H·D], k and v [N, KV·D]; see `Tensor.attention`.
  func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, layer: Int, batch: RaggedBatch, shape: AttentionShape
  ) throws -> Tensor {
    move(to: layer)
    guard batch.tokenCount > batch.count else {
      // Each thread stores into a sequence's last page just before it reads it, so that the page is
      // in its CPU cache.
      return try .attention(q, batch: batch, shape: shape, segments: segments, bounds: bounds) {
        self.store(k, v, row: $0, head: $1)
      }
    }
    Team.shared.forEach(places.count, atLeast: max(1, 16_384 / shape.stride)) { rows in
      for row in rows {
        for head in 0..<cache.heads { store(k, v, row: row, head: head) }
      }
    }
    return try .attention(q, batch: batch, shape: shape, segments: segments, bounds: bounds)
  }

  /// Writes the key and value of a row's token on one head.
  private func store(_ k: Tensor, _ v: Tensor, row: Int, head: Int) {
    let at = (row * cache.heads + head) * cache.headSize
    cache.store(k.pointer + at, v.pointer + at, layer: layer, head: head, at: places[row])
  }

  private func move(to layer: Int) {
    let distance = (layer - self.layer) * cache.block
    self.layer = layer
    for index in segments.indices {
      segments[index].keys += distance
      segments[index].values += distance
    }
  }
}
