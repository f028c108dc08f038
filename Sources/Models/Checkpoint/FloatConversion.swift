import Kernels

// From the number formats of checkpoints to float32. The bytes of a file need not be aligned.

enum FloatConversion {
  /// Writes `count` numbers of a float format as float32; does nothing where the format is not a float.
  static func convert(
    _ source: UnsafeRawBufferPointer, _ type: SafetensorsType,
    into target: UnsafeMutablePointer<Float>, count: Int
  ) {
    guard let start = source.baseAddress else { return }
    if let type = type.scalar { return type.decode(start, into: target, count) }
    guard type == .float64 else { return }
    for i in 0..<count {
      target[i] = Float(start.loadUnaligned(fromByteOffset: 8 * i, as: Double.self))
    }
  }
}

extension SafetensorsType {
  /// The format as one that the engine computes with or stores.
  var scalar: ScalarType? {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .float16: .float16
    default: nil
    }
  }
}
