import Tensors

extension Weight {
  /// Calls `body` with all weights in float32, row-major as files store them, some rows at a time: about a megabyte where
  /// they have to be converted, everything at once where not.
  func forEachPiece(_ body: (UnsafeBufferPointer<Float>) throws -> Void) rethrows {
    switch self {
    case .float32(let tensor):
      try body(UnsafeBufferPointer(start: tensor.pointer, count: tensor.count))
      withExtendedLifetime(tensor) {}
    case .bfloat16(let matrix):
      let width = max(1, shape[1])
      var floats = [Float](repeating: 0, count: max(1, (1 << 18) / width) * width)
      for rows in blocks(shape[0], size: floats.count / width) {
        try floats.withUnsafeMutableBufferPointer { buffer in
          guard let start = buffer.baseAddress else { return }
          matrix.load(rows: rows, into: start)
          try body(UnsafeBufferPointer(start: start, count: rows.count * width))
        }
      }
    }
  }
}
