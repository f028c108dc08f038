/// The values of a tensor that an operation keeps for its gradient.
///
/// It holds the storage and not the tensor: a tensor holds its tape, and the tape holds the
/// gradients' closures.
public struct SavedValues {
  private let storage: Storage
  private let offset: Int
  private let version: Int

  /// Keeps the values of `tensor` as they are now.
  public init(_ tensor: Tensor) {
    storage = tensor.storage
    offset = tensor.offset
    version = tensor.storage.version
  }

  /// The first value, as long as self lives; throws when the values were changed in place since.
  public func pointer(for operation: String) throws(TensorError) -> UnsafePointer<Float> {
    guard storage.version == version else {
      throw .changedInPlace(operation: operation, .tensor)
    }
    return UnsafePointer(storage.pointer + offset)
  }
}
