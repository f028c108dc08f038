// Conversions between float32 and the formats of checkpoints. Plain loops over pointers, which the
// compiler vectorises. The bytes of a file need not be aligned.

enum FloatConversion {
  /// Writes `count` numbers of a float format as float32; does nothing where the format is not a float.
  static func convert(
    _ source: UnsafeRawBufferPointer, _ type: SafetensorsType,
    into target: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch type {
    case .float32:
      UnsafeMutableRawBufferPointer(start: target, count: count * 4).copyMemory(from: source)
    case .bfloat16:
      for i in 0..<count {
        let bits = source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)
        target[i] = Float(bitPattern: UInt32(bits) << 16)
      }
    case .float16:
      for i in 0..<count {
        let bits = source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)
        target[i] = Float(Float16(bitPattern: bits))
      }
    case .float64:
      for i in 0..<count {
        target[i] = Float(source.loadUnaligned(fromByteOffset: 8 * i, as: Double.self))
      }
    case .int64, .int32, .int16, .int8, .uint8, .bool: break
    }
  }
}
