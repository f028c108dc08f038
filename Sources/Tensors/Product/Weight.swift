import Kernels

/// A matrix of a model: a float32 tensor that can be trained, or one that is held as bfloat16 and cannot.
public enum Weight: Sendable {
  /// A float32 tensor.
  case float32(Tensor)
  /// A matrix held once, as packed bfloat16.
  case bfloat16(BFloat16Matrix)

  /// Sizes, as stored in files.
  public var shape: [Int] {
    switch self {
    case .float32(let tensor): tensor.shape
    case .bfloat16(let matrix): matrix.shape
    }
  }

  /// Number of weights.
  public var count: Int { shape.reduce(1, *) }

  /// Bytes that it takes now, with its packed copy and its gradient.
  public var residentBytes: Int {
    switch self {
    case .float32(let tensor):
      (tensor.count + (tensor.gradient?.count ?? 0)) * 4 + tensor.storage.packedBytes
    case .bfloat16(let matrix): matrix.bytes
    }
  }

  /// A number for the weights as they are now; see `Storage.stamp`.
  public var stamp: Int {
    switch self {
    case .float32(let tensor): tensor.storage.stamp
    case .bfloat16(let matrix): matrix.stamp
    }
  }

  /// The float32 tensor; nil where the matrix is held as bfloat16.
  public var tensor: Tensor? {
    if case .float32(let tensor) = self { tensor } else { nil }
  }

  /// The tensor itself, or a float32 copy of a bfloat16 matrix, which collects no gradient.
  public func floats() throws(TensorError) -> Tensor {
    switch self {
    case .float32(let tensor): tensor
    case .bfloat16(let matrix): try matrix.floats()
    }
  }

  /// The packed form, whose panels can be multiplied one by one.
  func panels(isTransposed: Bool) throws(TensorError) -> any PanelProduct {
    switch self {
    case .float32(let tensor): try tensor.packed(isTransposed: isTransposed)
    case .bfloat16(let matrix): matrix
    }
  }

  /// y = x Wᵀ for x [rows, in] and y [rows, out], W stored [out, in]; see `Tensor.multiply`.
  func multiply(
    _ x: UnsafePointer<Float>, rows: Int, isTrained: Bool,
    into y: UnsafeMutablePointer<Float>
  ) throws(TensorError) {
    switch self {
    case .float32(let tensor):
      try tensor.multiply(x, rows: rows, isTrained: isTrained, into: y)
    case .bfloat16(let matrix): matrix.multiply(x, rows: rows, into: y)
    }
  }

  /// dx = dy W, or dx += dy W, for dy [rows, out] and dx [rows, in], W stored [out, in].
  func inputGradient(
    _ dy: UnsafePointer<Float>, rows: Int, into dx: GradientBuffer
  ) throws(TensorError) {
    switch self {
    case .float32(let tensor):
      try Tensors.inputGradient(
        dy, rows: rows, weight: tensor.pointer, n: shape[0], k: shape[1], into: dx)
    case .bfloat16(let matrix): try matrix.inputGradient(dy, rows: rows, into: dx)
    }
  }
}

extension Weight {
  /// Calls `body` with all weights in float32, row-major as files store them, some rows at a time: about a megabyte where
  /// they have to be converted, everything at once where not.
  public func forEachChunk(_ body: (UnsafeBufferPointer<Float>) throws -> Void) rethrows {
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
