// Byte-pair encoding (Sennrich et al. 2016): a piece of text starts as its characters, and the
// adjacent pair with the lowest merge rank is merged until none is left.

import Core

struct BPE: Sendable {
  /// Ids above this are refused: a file must not make us allocate without end.
  static let largestID = 1 << 22

  struct Merge: Sendable {
    let rank: UInt32
    let id: Int32
  }

  /// The tokens and, at the same index, their ids.
  let strings: ByteStrings
  let ids: [Int32]
  let merges: [UInt64: Merge]
  /// The token produced by the merge of each rank.
  let mergedIDs: [Int32]
  /// Ids of `<0x00>` to `<0xFF>`, when characters without a token become bytes.
  let byteIDs: [Int32]?
  let unknownToken: String?
  /// The unknown token's id; nil also where the vocabulary lacks it.
  let unknownID: Int32?
  let joinsUnknown: Bool
  let ignoresMerges: Bool
  /// Prefix of every character of a piece except the first.
  let continuingPrefix: [UInt8]
  /// Suffix of the last character of a piece.
  let endSuffix: [UInt8]

  init(_ fields: JSONFields) throws {
    let type = try fields.string("type", default: "BPE")
    guard type.hasSameBytes(as: "BPE") else {
      throw fields.error("type", "'\(type)' is not a supported model")
    }
    continuingPrefix = Array(try fields.string("continuing_subword_prefix", default: "").utf8)
    endSuffix = Array(try fields.string("end_of_word_suffix", default: "").utf8)
    guard try fields.number("dropout", default: 0) == 0 else {
      throw fields.error("dropout", "other than 0 would make the ids random")
    }
    (strings, ids) = try Self.vocabulary(fields)
    (merges, mergedIDs) = try Self.merges(fields, strings, ids, continuingPrefix.count)
    joinsUnknown = try fields.bool("fuse_unk", default: false)
    ignoresMerges = try fields.bool("ignore_merges", default: false)
    let find = { [strings, ids] (token: String) in strings.find(Array(token.utf8)).map { ids[$0] } }
    byteIDs = try fields.bool("byte_fallback", default: false) ? Self.byteIDs(find) : nil
    unknownToken = fields["unk_token"] == nil ? nil : try fields.string("unk_token")
    unknownID = unknownToken.flatMap(find)
  }

  private static func vocabulary(_ fields: JSONFields) throws -> (ByteStrings, [Int32]) {
    guard case .object(let members)? = fields["vocab"] else {
      throw fields.error("vocab", "must be an object of tokens and their ids")
    }
    var strings = ByteStrings(capacity: members.count)
    var ids: [Int32] = []
    ids.reserveCapacity(members.count)
    for member in members {
      guard case .integer(let id) = member.value, (0...largestID).contains(id) else {
        throw fields.error(
          "vocab", "must give '\(member.key)' an id up to \(largestID), got \(member.value.excerpt)"
        )
      }
      var token = member.key
      guard token.withUTF8({ strings.insert($0) }) else {
        throw fields.error("vocab", "has '\(member.key)' twice")
      }
      ids.append(Int32(id))
    }
    return (strings, ids)
  }

  private static func merges(
    _ fields: JSONFields, _ strings: ByteStrings, _ ids: [Int32], _ prefix: Int
  ) throws -> ([UInt64: Merge], [Int32]) {
    let list = try fields.array("merges", default: [])
    var result: [UInt64: Merge] = [:]
    var mergedIDs: [Int32] = []
    result.reserveCapacity(list.count)
    mergedIDs.reserveCapacity(list.count)
    var merged: [UInt8] = []
    for (number, item) in list.enumerated() {
      // The first line of a merges.txt.
      if case .string(let line) = item, line.hasPrefix("#version") { continue }
      merged.removeAll(keepingCapacity: true)
      guard let middle = append(item, to: &merged) else {
        throw fields.error("merges[\(number)]", "must be two tokens, got \(item.excerpt)")
      }
      guard let (left, right, whole) = find(merged, middle, strings, prefix) else {
        throw fields.error(
          "merges[\(number)]", "\(item.excerpt) is not of tokens of the vocabulary")
      }
      let rank = UInt32(truncatingIfNeeded: mergedIDs.count)
      result[pair(ids[left], ids[right])] = Merge(rank: rank, id: ids[whole])
      mergedIDs.append(ids[whole])
    }
    return (result, mergedIDs)
  }

  /// The tokens of a merge and what they become: the second one loses its prefix.
  private static func find(
    _ bytes: [UInt8], _ middle: Int, _ strings: ByteStrings, _ prefix: Int
  ) -> (Int, Int, Int)? {
    bytes.withUnsafeBufferPointer { bytes in
      guard let left = strings.find(UTF8Bytes(rebasing: bytes[..<middle])),
        let right = strings.find(UTF8Bytes(rebasing: bytes[middle...])),
        bytes.count - middle >= prefix
      else { return nil }
      let whole =
        prefix == 0
        ? strings.find(bytes) : strings.find(Array(bytes[..<middle]) + bytes[(middle + prefix)...])
      return whole.map { (left, right, $0) }
    }
  }

  /// Appends both tokens of a merge and returns where the second begins.
  private static func append(_ item: JSON, to bytes: inout [UInt8]) -> Int? {
    switch item {
    case .string(let text):
      bytes += text.utf8
      guard let space = bytes.firstIndex(of: 0x20), bytes.lastIndex(of: 0x20) == space else {
        return nil
      }
      bytes.remove(at: space)
      return space
    case .array(let parts):
      guard parts.count == 2, case .string(let left) = parts[0], case .string(let right) = parts[1]
      else { return nil }
      bytes += left.utf8
      bytes += right.utf8
      return left.utf8.count
    default: return nil
    }
  }

  private static func byteIDs(_ find: (String) -> Int32?) -> [Int32]? {
    let ids = (0..<256).map { byte -> Int32 in
      let digits = String(byte, radix: 16, uppercase: true)
      return find("<0x\(byte < 16 ? "0" : "")\(digits)>") ?? -1
    }
    return ids
  }

  @inline(__always)
  static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }
}
