import Glibc

// Allocation that a script can reach: too large a request is an error and not the end of the process.

extension Tensor {
  /// A tensor of uninitialised elements for the result of an operation that a script asked for.
  ///
  /// Throws if the shape has a negative size, has more elements than can be addressed, or needs more memory than is free.
  public static func result(_ shape: [Int], for operation: String) throws(TensorError) -> Tensor {
    let count = try checkedCount(shape, for: operation)
    try Memory.check(bytes: count * 4, for: operation)
    return Tensor(uninitialized: shape)
  }

  /// The number of elements of `shape`; throws if a size is negative, or there are more than 64 or too large ones.
  static func checkedCount(_ shape: [Int], for operation: String) throws(TensorError) -> Int {
    var product = 1
    var isEmpty = false
    for size in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: max(1, size))
      guard size >= 0, !overflow, next < 1 << 48, shape.count <= 64 else {
        throw TensorError(
          "\(operation): a tensor of shape \(describe(shape)) cannot be made")
      }
      product = next
      if size == 0 { isEmpty = true }
    }
    return isEmpty ? 0 : product
  }

  /// Like `result`, filled with zeros.
  public static func zeroResult(_ shape: [Int], for operation: String) throws(TensorError) -> Tensor
  {
    let tensor = try result(shape, for: operation)
    tensor.pointer.update(repeating: 0, count: tensor.count)
    return tensor
  }
}

/// What the machine has left.
public enum Memory {
  /// Throws when `bytes` more would not fit into the memory that is free now. Small requests are not checked.
  public static func check(bytes: Int, for operation: String) throws(TensorError) {
    guard bytes > 128 << 20 else { return }
    let available = availableBytes()
    guard bytes < available else {
      throw TensorError(
        "\(operation): \(bytes >> 20) MB of memory needed, \(available >> 20) MB available")
    }
  }

  /// Bytes that can be allocated without swapping, from /proc/meminfo; `Int.max` where that cannot be read.
  public static func availableBytes() -> Int {
    guard let file = fopen("/proc/meminfo", "r") else { return .max }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard text.hasPrefix("MemAvailable:") else { continue }
      let kilobytes = text.split(separator: " ").lazy.compactMap { Int($0) }.first
      return kilobytes.map { $0 * 1024 } ?? .max
    }
    return .max
  }

  /// Keeps freed memory in the process: the next step needs the same blocks again, and new pages cost a fault each.
  public static func keepFreedMemory() {
    _ = mallopt(-3, 32 << 20)  // M_MMAP_THRESHOLD
    _ = mallopt(-1, 1 << 30)  // M_TRIM_THRESHOLD
  }
}

// malloc.h is not part of the Glibc module.
@_silgen_name("mallopt") private func mallopt(_ parameter: Int32, _ value: Int32) -> Int32
