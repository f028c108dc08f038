// A hash of a model's weights, for cache keys and logs.

import Core
import Tensors

extension Transformer {
  /// A hash of the names, shapes and bits of all weights, stable across runs and machines; bfloat16
  /// weights hash as float32 of the same value. The KV-cache dtype enters where it is not float32.
  ///
  /// A multiply-and-rotate hash of the bits of two weights at a time; not meant to withstand
  /// forgery.
  public var checksum: UInt64 {
    get throws {
      var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
      func add(_ word: UInt64) {
        hash = (hash ^ word) &* 0xD6E8_FEB8_6659_FD93
        hash ^= hash >> 32
      }
      var odd: Float?
      for (name, weight) in allWeights {
        for byte in name.utf8 { add(UInt64(byte)) }
        for size in weight.shape { add(UInt64(size)) }
        try weight.forEachChunk { values in
          for block in blocks(values.count, size: 1 << 20) {
            try Interrupt.check()
            var rest = values[block]
            if let first = odd, let second = rest.popFirst() {
              add(UInt64(first.bitPattern) << 32 | UInt64(second.bitPattern))
              odd = nil
            }
            for i in stride(from: rest.startIndex, to: rest.endIndex - 1, by: 2) {
              add(UInt64(values[i].bitPattern) << 32 | UInt64(values[i + 1].bitPattern))
            }
            if rest.count % 2 == 1 { odd = rest.last }
          }
        }
        if let last = odd { add(UInt64(last.bitPattern)) }
        odd = nil
      }
      for update in adapter?.updates ?? [] { add(UInt64(update.factors.scale.bitPattern)) }
      if keyValueType != .float32 { for byte in keyValueType.rawValue.utf8 { add(UInt64(byte)) } }
      return hash
    }
  }
}
