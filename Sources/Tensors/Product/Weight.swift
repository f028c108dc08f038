import Core
import Kernels

/// A matrix of a model and the packed copy that sampling multiplies with.
///
/// It is a float32 tensor, which can be trained, or a frozen bfloat16 matrix. The class is confined
/// to one thread, except that products of a weight that is packed may run on several.
public final class Weight: @unchecked Sendable {
  /// What a weight is made of.
  public enum Values: Sendable {
    /// A float32 tensor.
    case float32(Tensor)
    /// A matrix whose only form is packed bfloat16.
    case bfloat16(BFloat16Matrix)
  }

  /// The values, as files store them.
  public let values: Values
  /// Whether files store the matrix [inputs, outputs], as GPT-2's do, and not [outputs, inputs].
  public let isTransposed: Bool
  private var packed: PackedMatrix?

  private init(_ values: Values, isTransposed: Bool) {
    (self.values, self.isTransposed) = (values, isTransposed)
  }

  /// A float32 matrix, stored [outputs, inputs] or, where `isTransposed`, [inputs, outputs].
  public static func float32(_ tensor: Tensor, isTransposed: Bool = false) -> Weight {
    Weight(.float32(tensor), isTransposed: isTransposed)
  }

  /// A matrix of bfloat16.
  public static func bfloat16(_ matrix: BFloat16Matrix) -> Weight {
    Weight(.bfloat16(matrix), isTransposed: matrix.isTransposed)
  }

  /// Sizes, as stored in files.
  public var shape: [Int] {
    switch values {
    case .float32(let tensor): tensor.shape
    case .bfloat16(let matrix): matrix.shape
    }
  }

  /// Number of weights.
  public var count: Int { shape.reduce(1, *) }

  /// Bytes in memory now, with the packed copy and the gradient.
  public var residentBytes: Int {
    switch values {
    case .float32(let tensor):
      (tensor.count + (tensor.gradient?.count ?? 0)) * 4 + (packed?.bytes ?? 0)
    case .bfloat16(let matrix): matrix.bytes
    }
  }

  /// Identifies the weights' current values; see `Storage.stamp`.
  public var stamp: Int {
    switch values {
    case .float32(let tensor): tensor.storage.stamp
    case .bfloat16(let matrix): matrix.stamp
    }
  }

  /// The float32 tensor; nil for a bfloat16 matrix.
  public var tensor: Tensor? {
    if case .float32(let tensor) = values { tensor } else { nil }
  }

  /// The tensor itself, or a float32 copy of a bfloat16 matrix, which collects no gradient.
  public func floats() throws(TensorError) -> Tensor {
    switch values {
    case .float32(let tensor): tensor
    case .bfloat16(let matrix): try matrix.floats()
    }
  }

  /// Calls `body` with all weights in float32, row-major as files store them, some rows at a time:
  /// about a megabyte where they have to be converted, else everything at once.
  public func forEachChunk(_ body: (UnsafeBufferPointer<Float>) throws -> Void) rethrows {
    switch values {
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

// MARK: - Products

extension Weight {
  /// Packs the weights for products with few rows, and keeps the copy, which takes as much memory
  /// as they do, until they change or are trained. Throws where memory is short.
  public func pack() throws(TensorError) {
    guard case .float32(let tensor) = values, panels == nil else { return }
    packed = nil
    try Interrupt.poll()
    packed = try PackedMatrix(tensor, isTransposed: isTransposed)
  }

  /// The packed form of the weights as they are now, if there is one.
  var panels: (any PackedPanels)? {
    switch values {
    case .float32(let tensor): packed?.version == tensor.storage.version ? packed : nil
    case .bfloat16(let matrix): matrix
    }
  }

  /// How x Wᵀ is computed.
  ///
  /// In training (`isTrained`) the weights are about to change, and the packed copy is freed.
  func product(isTrained: Bool) -> Product {
    switch values {
    case .bfloat16(let matrix): return Product(matrix)
    case .float32(let tensor):
      if let packed {
        if !isTrained, packed.version == tensor.storage.version { return Product(packed) }
        self.packed = nil
      }
      let (rows, columns) = (tensor.shape[0], tensor.shape[1])
      return Product(
        tensor.pointer, n: isTransposed ? columns : rows, k: isTransposed ? rows : columns,
        isTransposed: isTransposed)
    }
  }

  /// dx = dy W, or dx += dy W, for dy [rows, out] and dx [rows, in].
  func inputGradient(
    _ dy: UnsafePointer<Float>, rows: Int, into dx: GradientBuffer
  ) throws(TensorError) {
    switch values {
    case .float32(let tensor):
      let (rowCount, columns) = (tensor.shape[0], tensor.shape[1])
      // The product with Wᵀ, whose stored form is W's the other way round.
      try Product(
        tensor.pointer, n: isTransposed ? rowCount : columns, k: isTransposed ? columns : rowCount,
        isTransposed: !isTransposed
      ).multiply(dy, rows: rows, into: dx)
    case .bfloat16(let matrix): try matrix.inputGradient(dy, rows: rows, into: dx)
    }
  }

  /// dW = dyᵀ x, or dW += dyᵀ x, in the layout of the weights, for dy [rows, out] and x [rows, in].
  func gradient(
    _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, into dw: GradientBuffer
  ) throws(TensorError) {
    let (n, k) = (shape[0], shape[1])
    let (left, right) = isTransposed ? (x, dy) : (dy, x)
    try weightGradient(left, right, rows: rows, n: n, k: k, into: dw)
  }

  /// The same weights, for the closure of a gradient to capture: the tape holds the closure, so
  /// nothing that it captures may hold the tape.
  var withoutTape: Weight {
    guard let tensor, tensor.record != nil else { return self }
    return .float32(tensor.detached(), isTransposed: isTransposed)
  }
}
