/// A float32 array of any shape, contiguous in row-major order; the value that scripts compute
/// with.
///
/// Operations are functions in extensions, each with its gradient beside it, and throw
/// `TensorError` on wrong shapes. The alphabet used in all comments: B batch, T time, C channels, H
/// heads, D head size, V vocabulary, N tokens of a batch. Views (`reshape`, `detach`, rows by
/// `narrow`) share storage. The engine is confined to one thread (see `Team`).
public final class Tensor: @unchecked Sendable {
  /// The memory, possibly shared with other tensors.
  public let storage: Storage
  /// Index of the first element in the storage.
  public let offset: Int
  /// Sizes, outermost first; empty for a scalar.
  public let shape: [Int]
  /// Number of elements.
  public let count: Int
  /// Where the tape recorded the operation that made this tensor; nil for leaves.
  var record: TapeRecord?
  private var isLeafWithGradient = false
  /// The accumulated d loss / d self of a leaf that requires a gradient.
  public private(set) var gradient: Tensor?

  /// A view of `storage`, which it must not exceed.
  public init(storage: Storage, offset: Int = 0, shape: [Int]) {
    let count = shape.reduce(1, *)
    precondition(offset >= 0 && offset + count <= storage.count, "view outside of its storage")
    self.storage = storage
    self.offset = offset
    self.shape = shape
    self.count = count
  }

  /// A tensor whose elements are not initialised: for results that are written in full.
  public convenience init(uninitialized shape: [Int]) {
    self.init(storage: Storage(count: shape.reduce(1, *)), shape: shape)
  }

  /// A tensor of zeros.
  public convenience init(zeros shape: [Int]) {
    self.init(storage: Storage(zeros: shape.reduce(1, *)), shape: shape)
  }

  /// A tensor with the given elements in row-major order; their number must fit the shape.
  public convenience init(_ values: [Float], shape: [Int]) {
    self.init(uninitialized: shape)
    precondition(values.count == count, "\(values.count) values for shape \(shape)")
    values.withUnsafeBufferPointer { source in
      if let first = source.baseAddress { pointer.update(from: first, count: count) }
    }
  }

  /// A scalar.
  public convenience init(_ value: Float) {
    self.init(uninitialized: [])
    pointer[0] = value
  }

  /// The first element.
  public var pointer: UnsafeMutablePointer<Float> { storage.pointer + offset }

  /// The elements in row-major order.
  public var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// Whether backward() reaches this tensor: a leaf that requires a gradient, or a result of one.
  public var requiresGradient: Bool { isLeafWithGradient || record != nil }

  /// Whether this is a leaf (a parameter) that collects its gradient.
  public var isParameter: Bool { isLeafWithGradient }

  /// Makes a leaf collect its gradient, or stop doing so; throws on results of operations.
  public func setRequiresGradient(_ wanted: Bool) throws(TensorError) {
    if record != nil {
      if wanted { return }
      throw .notALeaf
    }
    isLeafWithGradient = wanted
    if !wanted { gradient = nil }
  }

  /// The gradient, made of zeros if there is none yet, or of uninitialised elements that the caller
  /// writes.
  func gradientForAccumulation(zeros: Bool = true) throws(TensorError) -> Tensor {
    if let gradient { return gradient }
    let fresh =
      try zeros ? Tensor.zeroResult(shape, for: "backward") : .result(shape, for: "backward")
    gradient = fresh
    return fresh
  }

  /// Forgets the gradient.
  public func clearGradient() { gradient = nil }

  /// Puts `gradient` (of the same shape) in the place of the accumulated one.
  public func setGradient(_ gradient: Tensor?) { self.gradient = gradient }

  /// The same values outside of the graph, sharing the storage.
  public func detached() -> Tensor { Tensor(storage: storage, offset: offset, shape: shape) }

  /// A copy outside of the graph with a storage of its own; throws where memory is short.
  public func copied() throws(TensorError) -> Tensor {
    let copy = try Tensor.result(shape, for: "copy")
    try copy.pointer.copy(pointer, count: count)
    return copy
  }
}
