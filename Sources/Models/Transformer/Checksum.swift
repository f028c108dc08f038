// A number that tells models apart: for keys of caches and for logs.

extension Transformer {
  /// A hash of the names, shapes and bits of all weights, stable across runs and machines.
  ///
  /// A multiply-and-rotate hash of the bits of two weights at a time; not meant to withstand
  /// forgery.
  public var checksum: UInt64 {
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
    func add(_ word: UInt64) {
      hash = (hash ^ word) &* 0xD6E8_FEB8_6659_FD93
      hash ^= hash >> 32
    }
    for (name, tensor) in parameters {
      for byte in name.utf8 { add(UInt64(byte)) }
      for size in tensor.shape { add(UInt64(size)) }
      let (values, count) = (tensor.pointer, tensor.count)
      for i in stride(from: 0, to: count - 1, by: 2) {
        add(UInt64(values[i].bitPattern) << 32 | UInt64(values[i + 1].bitPattern))
      }
      if count % 2 == 1 { add(UInt64(values[count - 1].bitPattern)) }
    }
    for update in adapter?.updates ?? [] { add(UInt64(update.factors.scale.bitPattern)) }
    return hash
  }
}
