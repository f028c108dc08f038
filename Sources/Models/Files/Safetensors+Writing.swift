// Writing safetensors files: float32 or bfloat16, names in the order given, the metadata that
// Hugging Face's loader asks for, the header padded so that the data begin at a multiple of 8.

extension Safetensors {
  /// A tensor to be written.
  public struct Item {
    /// Name in the file.
    public let name: String
    /// Shape; its product is the number of values.
    public let shape: [Int]
    /// The numbers, row-major; must stay valid until the file is written.
    public let values: UnsafeBufferPointer<Float>

    /// Makes an item that refers to memory of the caller.
    public init(name: String, shape: [Int], values: UnsafeBufferPointer<Float>) {
      (self.name, self.shape, self.values) = (name, shape, values)
    }
  }

  /// Writes a file, atomically; `type` is `.float32` or `.bfloat16` (rounded to nearest even).
  ///
  /// Throws when a name comes twice or a shape does not fit its values, before anything is written.
  public static func write(
    _ items: [Item], to path: String, type: SafetensorsType = .float32,
    metadata: [String: String] = ["format": "pt"]
  ) throws {
    guard type == .float32 || type == .bfloat16 else {
      throw FileError(path, "tensors are written as F32 or BF16, not as \(type.rawValue)")
    }
    let header = try header(items, path, type, metadata)
    try AtomicFile.write(path) { output in
      try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try output.append($0) }
      try output.append(header)
      for item in items { try write(item, type, to: output) }
    }
  }

  /// Writes a file of float32 arrays, atomically.
  public static func write(
    arrays: [(name: String, shape: [Int], values: [Float])], to path: String,
    type: SafetensorsType = .float32, metadata: [String: String] = ["format": "pt"]
  ) throws {
    let copies = arrays.map { array in
      let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: array.values.count)
      _ = copy.initialize(from: array.values)
      return copy
    }
    defer { copies.forEach { $0.deallocate() } }
    let items = zip(arrays, copies).map {
      Item(name: $0.name, shape: $0.shape, values: UnsafeBufferPointer($1))
    }
    try write(items, to: path, type: type, metadata: metadata)
  }

  private static func header(
    _ items: [Item], _ path: String, _ type: SafetensorsType, _ metadata: [String: String]
  ) throws -> [UInt8] {
    var members = [
      JSON.Member("__metadata__", .object(metadata.map { JSON.Member($0, .string($1)) }))
    ]
    var names: Set<String> = ["__metadata__"]
    var end = 0
    for item in items {
      guard names.insert(item.name).inserted else {
        throw FileError(path, "two tensors are named '\(item.name)'")
      }
      guard item.shape.reduce(1, *) == item.values.count else {
        throw FileError(
          path, "tensor '\(item.name)' of shape \(item.shape) has \(item.values.count) values")
      }
      let start = end
      end += item.values.count * type.size
      let entry: [JSON.Member] = [
        JSON.Member("dtype", .string(type.rawValue)),
        JSON.Member("shape", .array(item.shape.map { .integer($0) })),
        JSON.Member("data_offsets", .array([.integer(start), .integer(end)])),
      ]
      members.append(JSON.Member(item.name, .object(entry)))
    }
    var header = Array(try JSON.object(members).text().utf8)
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
    return header
  }

  private static func write(
    _ item: Item, _ type: SafetensorsType, to output: AtomicFileOutput
  ) throws {
    if type == .float32 { return try output.append(UnsafeRawBufferPointer(item.values)) }
    let chunk = 1 << 18
    for start in stride(from: 0, to: item.values.count, by: chunk) {
      let end = min(start + chunk, item.values.count)
      let rounded = item.values[start..<end].map { FloatConversion.bfloat16($0) }
      try rounded.withUnsafeBytes { try output.append($0) }
    }
  }
}
