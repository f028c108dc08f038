// The header of a safetensors file and its checks. The format
// (github.com/huggingface/safetensors): 8 bytes header length, little-endian; the header, a JSON
// object of name → {dtype, shape, data_offsets [begin, end)}; then the bytes of the tensors, in
// row-major order, without gaps.

import Core
import Kernels
import Text

/// Number formats of a safetensors file.
public enum SafetensorsType: String, Sendable, CaseIterable {
  /// 32-bit float.
  case float32 = "F32"
  /// 64-bit float.
  case float64 = "F64"
  /// 16-bit float of IEEE 754.
  case float16 = "F16"
  /// The upper half of a 32-bit float.
  case bfloat16 = "BF16"
  /// Signed integers.
  case int64 = "I64"
  /// 32-bit signed integers.
  case int32 = "I32"
  /// 16-bit signed integers.
  case int16 = "I16"
  /// 8-bit signed integers.
  case int8 = "I8"
  /// Bytes.
  case uint8 = "U8"
  /// Booleans, a byte each.
  case bool = "BOOL"

  /// Whether the numbers are of a float format.
  package var isFloat: Bool { [.float32, .float64, .float16, .bfloat16].contains(self) }

  /// Bytes of one number.
  var size: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }
}

/// One tensor's entry in the header.
struct SafetensorsEntry: Sendable {
  let type: SafetensorsType
  let shape: [Int]
  let count: Int
  /// Bytes of the file.
  let bytes: Range<Int>
}

/// The parsed header of a safetensors file.
package struct SafetensorsHeader {
  var metadata: [String: String] = [:]
  var entries: [String: SafetensorsEntry] = [:]

  /// The limit of the official library.
  static let longest = 100_000_000

  /// Reads the beginning of a file of `size` bytes, or of the bytes given; throws a `FileError`
  /// where it does not fit them.
  package init(_ bytes: UnsafeRawBufferPointer, size: Int? = nil, file: String) throws {
    let size = size ?? bytes.count
    guard size >= 8 else {
      throw FileError(file, "\(size) bytes are too few for a safetensors file")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= min(UInt64(size - 8), UInt64(Self.longest)) else {
      throw FileError(
        file, "the header claims \(length) bytes, the file has \(size - 8) after its length")
    }
    let dataStart = 8 + Int(length)
    let text = UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart])
    let header = try JSON.parse(text, file: "\(file): header")
    guard case .object(let members) = header else {
      throw FileError(file, "the header must be a JSON object, got \(header.excerpt)")
    }
    for member in members {
      guard member.key.utf8.count <= String.longestName else {
        throw FileError(
          file,
          "the header has a name of \(member.key.utf8.count) bytes; at most "
            + "\(String.longestName) expected")
      }
      if member.key == "__metadata__" {
        metadata = try Self.metadata(member.value, file)
        continue
      }
      let fields = try JSONFields(member.value, file: "\(file): header", path: member.key)
      let entry = try Self.entry(fields, name: member.key, dataStart..<size, file)
      guard entries.updateValue(entry, forKey: member.key) == nil else {
        throw FileError(file, "tensor '\(member.key)' is in the header twice")
      }
    }
    try checkCoverage(dataStart..<size, file)
  }

  private static func metadata(_ value: JSON, _ file: String) throws -> [String: String] {
    let fields = try JSONFields(value, file: "\(file): header", path: "__metadata__")
    guard case .object(let members) = value else { return [:] }
    var result: [String: String] = [:]
    for member in members { result[member.key] = try fields.string(member.key) }
    return result
  }

  private static func entry(
    _ fields: JSONFields, name: String, _ data: Range<Int>, _ file: String
  ) throws -> SafetensorsEntry {
    let code = try fields.string("dtype")
    guard let type = SafetensorsType(rawValue: code.asName) else {
      let known = SafetensorsType.allCases.map(\.rawValue).joined(separator: ", ")
      throw FileError(file, "tensor '\(name)' has the unknown dtype '\(code)' (known: \(known))")
    }
    let shape = try integers(fields, "shape")
    let offsets = try integers(fields, "data_offsets")
    guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= data.count else {
      throw FileError(
        file, "tensor '\(name)' has data_offsets \(offsets), the data has \(data.count) bytes")
    }
    var count = 1
    var overflow = false
    for size in shape {
      let (product, flag) = count.multipliedReportingOverflow(by: size)
      (count, overflow) = (product, overflow || flag)
    }
    let (size, flag) = count.multipliedReportingOverflow(by: type.size)
    guard !overflow, !flag, size == offsets[1] - offsets[0] else {
      throw FileError(
        file,
        "tensor '\(name)' of shape \(shape) and dtype \(code) does not fit its "
          + "\(offsets[1] - offsets[0]) bytes")
    }
    let range = data.lowerBound + offsets[0]..<data.lowerBound + offsets[1]
    return SafetensorsEntry(type: type, shape: shape, count: count, bytes: range)
  }

  private static func integers(_ fields: JSONFields, _ key: String) throws -> [Int] {
    try fields.array(key).map {
      guard case .integer(let value) = $0, value >= 0 else {
        throw fields.error(key, "must be a list of non-negative integers, got \($0.excerpt) in it")
      }
      return value
    }
  }

  /// The tensors must cover the data exactly, each byte once.
  private func checkCoverage(_ data: Range<Int>, _ file: String) throws {
    var end = data.lowerBound
    let ordered = entries.sorted {
      ($0.value.bytes.lowerBound, $0.value.bytes.upperBound, $0.key)
        < ($1.value.bytes.lowerBound, $1.value.bytes.upperBound, $1.key)
    }
    for (name, entry) in ordered {
      guard entry.bytes.lowerBound == end else {
        let what =
          entry.bytes.lowerBound < end ? "overlaps the one before" : "leaves a gap before it"
        throw FileError(file, "tensor '\(name)' \(what)")
      }
      end = entry.bytes.upperBound
    }
    guard end == data.upperBound else {
      throw FileError(file, "\(data.upperBound - end) bytes after the last tensor belong to none")
    }
  }
}

// Converts the number formats of checkpoints to float32. The bytes of a file need not be aligned.

enum FloatConversion {
  /// Writes `count` numbers of a float format as float32; does nothing where the format is not a
  /// float.
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
