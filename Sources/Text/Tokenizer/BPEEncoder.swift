// Applying merges to a piece of text. Neighbours form a linked list, possible merges wait in a heap
// ordered by rank and then by place: n log n steps for a piece of n characters, which matters if
// nothing splits the text and a piece is a whole document. Words are cached.

import Core

struct BPEEncoder {
  private let model: BPE
  private var cached = ByteStrings(capacity: 1 << 12)
  private var cachedEnds: [Int] = []
  private var cachedIDs: [Int32] = []

  private var symbols: [Int32] = []
  private var following: [Int32] = []
  private var preceding: [Int32] = []
  private var heap = MinimumHeap()

  /// Longer pieces seldom come twice.
  private static let longestCached = 64
  private static let cacheLimit = 1 << 17

  init(_ model: BPE) { self.model = model }

  /// Appends the ids of a piece.
  ///
  /// Throws when the unknown token is needed and not in the vocabulary.
  mutating func encode(_ piece: UTF8Bytes, to ids: inout [Int]) throws {
    if piece.count <= Self.longestCached, let index = cached.find(piece) {
      let start = index == 0 ? 0 : cachedEnds[index - 1]
      for i in start..<cachedEnds[index] { ids.append(Int(cachedIDs[i])) }
      return
    }
    symbols.removeAll(keepingCapacity: true)
    if model.ignoresMerges, let whole = model.strings.find(piece) {
      symbols.append(model.ids[whole])
    } else {
      try appendCharacters(piece)
      if symbols.count > 1, !model.merges.isEmpty { try merge() }
    }
    for symbol in symbols { ids.append(Int(symbol)) }
    if piece.count <= Self.longestCached { remember(piece) }
  }

  private mutating func remember(_ piece: UTF8Bytes) {
    if cached.count >= Self.cacheLimit {
      cached = ByteStrings(capacity: 1 << 12)
      cachedEnds.removeAll()
      cachedIDs.removeAll()
    }
    guard cached.insert(piece) else { return }
    cachedIDs += symbols
    cachedEnds.append(cachedIDs.count)
  }

  /// The characters' ids. A character without a token becomes its bytes, else the unknown token
  /// (fused if the model says so), else nothing.
  ///
  /// An unknown token is delayed until a character with a token follows, as in the `tokenizers`
  /// library: if only some bytes have tokens, the bytes come before it.
  private mutating func appendCharacters(_ piece: UTF8Bytes) throws {
    var position = 0
    var pending: Int32?
    while position < piece.count {
      let length = min(UTF8Bytes.scalarLength(piece[position]), piece.count - position)
      let bytes = UTF8Bytes(rebasing: piece[position..<position + length])
      position += length
      if position & (Interrupt.interval - 1) < length { try Interrupt.check() }
      try Memory.checkGrowth(of: symbols, for: "encode")
      if let id = id(bytes, isFirst: position == length, isLast: position == piece.count) {
        if let unknown = pending { symbols.append(unknown) }
        symbols.append(id)
        pending = nil
      } else if appendBytes(bytes, isFirst: position == length, isLast: position == piece.count) {
        continue
      } else if model.unknownToken != nil {
        if let unknown = pending, !model.joinsUnknown { symbols.append(unknown) }
        pending = try unknownID()
      }
    }
    if let unknown = pending { symbols.append(unknown) }
  }

  /// The id of a character at its place in the piece.
  @inline(__always)
  private func id(_ character: UTF8Bytes, isFirst: Bool, isLast: Bool) -> Int32? {
    let index =
      isFirst && !isLast || model.continuingPrefix.isEmpty && model.endSuffix.isEmpty
      ? model.strings.find(character)
      : model.strings.find(spelled(character, isFirst: isFirst, isLast: isLast))
    return index.map { model.ids[$0] }
  }

  /// A character with the prefix and the suffix that it has at its place.
  private func spelled(_ character: UTF8Bytes, isFirst: Bool, isLast: Bool) -> [UInt8] {
    (isFirst ? [] : model.continuingPrefix) + character + (isLast ? model.endSuffix : [])
  }

  /// Appends a character as bytes; false when not all of them have tokens.
  private mutating func appendBytes(_ character: UTF8Bytes, isFirst: Bool, isLast: Bool) -> Bool {
    guard let byteIDs = model.byteIDs else { return false }
    let bytes = spelled(character, isFirst: isFirst, isLast: isLast)
    guard bytes.allSatisfy({ byteIDs[Int($0)] >= 0 }) else { return false }
    for byte in bytes { symbols.append(byteIDs[Int(byte)]) }
    return true
  }

  private func unknownID() throws -> Int32 {
    if let id = model.unknownID { return id }
    throw TokenizerError(
      "the text has characters that need the unknown token "
        + "'\(model.unknownToken ?? "")', which the vocabulary of the tokenizer lacks")
  }

  private mutating func merge() throws {
    let count = symbols.count
    following.removeAll(keepingCapacity: true)
    preceding.removeAll(keepingCapacity: true)
    for i in 0..<count {
      following.append(i + 1 < count ? Int32(i + 1) : -1)
      preceding.append(Int32(i - 1))
    }
    for i in 0..<count - 1 {
      if i % Interrupt.interval == Interrupt.interval - 1 { try Interrupt.check() }
      propose(i)
    }
    var steps = 0
    while let next = heap.pop() {
      steps += 1
      if steps % Interrupt.interval == 0 { try Interrupt.check() }
      let left = Int(next & 0xFFFF_FFFF)
      let right = Int(following[left])
      // The pair may have changed since it was proposed.
      guard symbols[left] >= 0, right >= 0,
        let merge = model.merges[BPE.pair(symbols[left], symbols[right])],
        merge.id == model.mergedIDs[Int(next >> 32)]
      else { continue }
      symbols[left] = merge.id
      symbols[right] = -1
      following[left] = following[right]
      if following[right] >= 0 {
        preceding[Int(following[right])] = Int32(left)
        propose(left)
      }
      if preceding[left] >= 0 { propose(Int(preceding[left])) }
    }
    symbols.removeAll { $0 < 0 }
  }

  @inline(__always)
  private mutating func propose(_ left: Int) {
    let pair = BPE.pair(symbols[left], symbols[Int(following[left])])
    if let merge = model.merges[pair] { heap.push(UInt64(merge.rank) << 32 | UInt64(left)) }
  }
}

/// A binary heap that gives the smallest number first.
struct MinimumHeap {
  private var values: [UInt64] = []

  mutating func push(_ value: UInt64) {
    var place = values.count
    values.append(value)
    while place > 0, values[(place - 1) / 2] > value {
      values[place] = values[(place - 1) / 2]
      place = (place - 1) / 2
    }
    values[place] = value
  }

  mutating func pop() -> UInt64? {
    guard let result = values.first, let last = values.popLast() else { return nil }
    if values.isEmpty { return result }
    var place = 0
    while true {
      var child = 2 * place + 1
      if child >= values.count { break }
      if child + 1 < values.count, values[child + 1] < values[child] { child += 1 }
      if values[child] >= last { break }
      values[place] = values[child]
      place = child
    }
    values[place] = last
    return result
  }
}
