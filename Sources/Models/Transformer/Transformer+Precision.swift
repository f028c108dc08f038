import Kernels
import Tensors

// The precision of a model's matrices: float32, or bfloat16, which takes a quarter of the memory of
// a float32 model in use, as the packed form is the only copy.

/// The number format of weights, caches and files.
public typealias ScalarType = Kernels.ScalarType

extension Transformer {
  /// The formats that matrices can be held in: float32 tensors, which can be trained, or packed
  /// bfloat16, which is frozen.
  public static let weightTypes: [ScalarType] = [.float32, .bfloat16]

  /// The format of the matrices.
  public var weightType: ScalarType {
    weights.contains { $0.weight.tensor == nil } ? .bfloat16 : .float32
  }

  /// Throws where the matrices cannot collect gradients; `operation` is what needs them.
  public func checkTrainable(for operation: String) throws(ModelError) {
    guard weightType == .float32 || adapter != nil else {
      throw .notTrainable(operation: operation)
    }
  }

  /// A model with copies of all weights: trainable as float32 or by an adapter, else frozen as
  /// bfloat16, to which matrices are rounded to nearest.
  ///
  /// Without a `type` it is held as this one is. Bfloat16 matrices never change, so that copies
  /// share them.
  public func clone(as type: ScalarType? = nil) throws -> Transformer {
    let type = type ?? weightType
    let copy = try rebuilt(adapter: adapter?.copied()) { weight, shape in
      try weight.copied(as: type, shape.use)
    }
    if type == .float32 || adapter != nil { try copy.setTrainable(true) }
    return copy
  }

  /// Whether this is made of the same matrices in memory, as a model with an adapter and its base
  /// are.
  public func sharesWeights(with other: Transformer) -> Bool {
    switch (lmHead.values, other.lmHead.values) {
    case (.float32(let mine), .float32(let others)): mine.storage === others.storage
    case (.bfloat16(let mine), .bfloat16(let others)): mine === others
    default: false
    }
  }

  /// Bytes that the weights take now, with packed copies and gradients.
  public var residentBytes: Int { weights.reduce(0) { $0 + $1.weight.residentBytes } }

  /// Number of weights that collect gradients.
  public var trainedCount: Int {
    parameters.reduce(0) { $0 + ($1.tensor.isParameter ? $1.tensor.count : 0) }
  }

  /// Bytes that `clone` allocates.
  public func cloneBytes(as type: ScalarType? = nil) -> Int {
    let type = type ?? weightType
    return weights.reduce(0) { $0 + $1.weight.copyBytes(as: type) }
  }
}

extension Weight {
  fileprivate func copied(
    as type: ScalarType, _ use: WeightShape.Use
  ) throws(TensorError) -> Weight {
    switch (values, type) {
    case (.bfloat16, .bfloat16): return self
    case (.bfloat16(let matrix), _):
      return .float32(try matrix.floats(), isTransposed: isTransposed)
    case (.float32(let tensor), .bfloat16) where !use.isVector:
      return .bfloat16(try BFloat16Matrix(tensor, isTransposed: isTransposed))
    case (.float32(let tensor), _):
      return .float32(try tensor.copied(), isTransposed: isTransposed)
    }
  }

  fileprivate func copyBytes(as type: ScalarType) -> Int {
    switch (values, type) {
    case (.bfloat16, .bfloat16): 0
    case (.float32(let tensor), .bfloat16) where tensor.shape.count == 2: tensor.count * 2
    default: count * 4
    }
  }
}
