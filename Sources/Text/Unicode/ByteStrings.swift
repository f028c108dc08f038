/// A list of unique byte strings with look-up: the vocabulary, and the word cache.
///
/// All bytes lie in one array; the hash table holds indices into the list.
struct ByteStrings: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var slots: [Int32]

  /// An empty list with room for a number of strings.
  init(capacity: Int) {
    var size = 64
    while size < capacity * 2 { size *= 2 }
    slots = [Int32](repeating: -1, count: size)
    ends.reserveCapacity(capacity)
  }

  var count: Int { ends.count }

  /// The string at an index.
  subscript(index: Int) -> ArraySlice<UInt8> {
    bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  /// The index of a string, or nil.
  func find(_ key: UTF8Bytes) -> Int? {
    let index = slots[slot(of: key)]
    return index < 0 ? nil : Int(index)
  }

  /// The index of a string.
  func find(_ key: [UInt8]) -> Int? { key.withUnsafeBufferPointer { find($0) } }

  /// Adds a string; false if it is already in the list.
  mutating func insert(_ key: UTF8Bytes) -> Bool {
    var place = slot(of: key)
    guard slots[place] < 0 else { return false }
    if (count + 1) * 2 > slots.count {
      grow()
      place = slot(of: key)
    }
    slots[place] = Int32(count)
    bytes.append(contentsOf: key)
    ends.append(bytes.count)
    return true
  }

  /// The slot of the key, or the empty slot for it.
  private func slot(of key: UTF8Bytes) -> Int {
    let mask = slots.count - 1
    var place = Self.hash(key) & mask
    while slots[place] >= 0, !isEqual(Int(slots[place]), key) { place = (place + 1) & mask }
    return place
  }

  private func isEqual(_ index: Int, _ key: UTF8Bytes) -> Bool {
    let start = index == 0 ? 0 : ends[index - 1]
    guard ends[index] - start == key.count else { return false }
    return bytes.withUnsafeBufferPointer { bytes in
      for i in 0..<key.count where bytes[start + i] != key[i] { return false }
      return true
    }
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    for index in ends.indices {
      let place = bytes.withUnsafeBufferPointer { bytes in
        slot(of: UTF8Bytes(rebasing: bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]))
      }
      slots[place] = Int32(index)
    }
  }

  /// Multiply and mix, eight bytes at a time.
  private static func hash(_ key: UTF8Bytes) -> Int {
    let raw = UnsafeRawBufferPointer(key)
    let prime: UInt64 = 0x9E37_79B9_7F4A_7C15
    var hash = UInt64(key.count) &* prime
    var position = 0
    while position + 8 <= raw.count {
      hash = (hash ^ raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)) &* prime
      hash ^= hash >> 29
      position += 8
    }
    var rest: UInt64 = 0
    while position < raw.count {
      rest = rest << 8 | UInt64(raw[position])
      position += 1
    }
    hash = (hash ^ rest) &* prime
    return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7FFF_FFFF)
  }
}
