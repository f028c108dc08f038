import Core
import Kernels
import Tensors
import Text

// Writing safetensors files: float32, bfloat16 or float16, names in the order given, the metadata
// that Hugging Face's loader asks for, the header padded so that the data begin at a multiple of 8.

extension Safetensors {
  /// A tensor to be written.
  public struct Item {
    /// Name in the file.
    public let name: String
    /// The numbers.
    public let weight: Weight

    /// Makes an item that is written as `weight` is then.
    public init(name: String, weight: Weight) {
      (self.name, self.weight) = (name, weight)
    }
  }

  /// Number formats that are written.
  public static let writtenTypes: [SafetensorsType] = [.float32, .bfloat16, .float16]

  /// Writes a file, atomically; other types than `.float32` are rounded to nearest even.
  ///
  /// Throws when a name comes twice, or float16 cannot hold a number, before the file is replaced.
  public static func write(
    _ items: [Item], to path: String, type: SafetensorsType = .float32,
    metadata: [String: String] = ["format": "pt"]
  ) throws {
    let header = try header(items, path, type, metadata)
    try AtomicFile.write(path) { try write(header, items, type, to: $0) }
  }

  /// Stages a file of a folder.
  static func write(
    _ items: [Item], _ name: String, to update: FolderUpdate, type: SafetensorsType
  ) throws {
    let header = try header(items, "\(update.folder)/\(name)", type, ["format": "pt"])
    try update.write(name) { try write(header, items, type, to: $0) }
  }

  private static func write(
    _ header: [UInt8], _ items: [Item], _ type: SafetensorsType, to output: AtomicFileOutput
  ) throws {
    try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try output.append($0) }
    try output.append(header)
    for item in items { try write(item, type, to: output) }
  }

  /// Writes a file of float32 arrays, atomically.
  public static func write(
    arrays: [(name: String, shape: [Int], values: [Float])], to path: String,
    type: SafetensorsType = .float32, metadata: [String: String] = ["format": "pt"]
  ) throws {
    let items = try arrays.map { name, shape, values in
      guard shape.reduce(1, *) == values.count else {
        throw FileError(path, "tensor '\(name)' of shape \(shape) has \(values.count) values")
      }
      return Item(name: name, weight: .float32(Tensor(values, shape: shape)))
    }
    try write(items, to: path, type: type, metadata: metadata)
  }

  /// Throws where a number of the items is beyond float16, whose largest is 65504.
  static func checkFloat16(_ items: [Item], _ path: String) throws {
    for item in items {
      try item.weight.forEachChunk { values in
        // The least float32 that rounds to infinity, 65520, is a tie that goes away from 65504.
        guard let value = values.first(where: { $0.magnitude >= 65520 && $0.isFinite }) else {
          return
        }
        throw FileError(
          path,
          "tensor '\(item.name)' holds \(value), which float16 cannot (its largest number is "
            + "65504); save as bfloat16 or float32")
      }
    }
  }

  private static func header(
    _ items: [Item], _ path: String, _ type: SafetensorsType, _ metadata: [String: String]
  ) throws -> [UInt8] {
    guard writtenTypes.contains(type) else {
      throw FileError(path, "tensors are written as F32, BF16 or F16, not as \(type.rawValue)")
    }
    var members = [
      JSON.Member("__metadata__", .object(metadata.map { JSON.Member($0, .string($1)) }))
    ]
    var names: Set<String> = ["__metadata__"]
    var end = 0
    for item in items {
      guard names.insert(item.name).inserted else {
        throw FileError(path, "two tensors are named '\(item.name)'")
      }
      let start = end
      end += item.weight.count * type.size
      let entry: [JSON.Member] = [
        JSON.Member("dtype", .string(type.rawValue)),
        JSON.Member("shape", .array(item.weight.shape.map { .integer($0) })),
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
    if type == .float16 { try checkFloat16([item], output.path) }
    try item.weight.forEachChunk { values in
      guard let scalar = type.scalar, scalar != .float32 else {
        for chunk in blocks(values.count, size: 1 << 20) {
          try Interrupt.check()
          try output.append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: values[chunk])))
        }
        return
      }
      for chunk in blocks(values.count, size: 1 << 18) {
        try Interrupt.check()
        let rounded = values[chunk].map(scalar.halfBits)
        try rounded.withUnsafeBytes { try output.append($0) }
      }
    }
  }
}

// Writing a model's weights as one file or as several with an index, as Hugging Face's
// save_pretrained does.

extension Safetensors {
  private static let single = "model.safetensors"
  private static let index = "model.safetensors.index.json"

  /// Stages the weights of a model folder: `model.safetensors`, or shards of at most `maxShardSize`
  /// bytes of weights and their index where they do not fit into one.
  ///
  /// A weight that is larger than a shard has one to itself. Weight files of an earlier save that
  /// would be read instead of, or beside, the new ones are removed. Throws before anything is
  /// written where float16 cannot hold a number.
  static func write(
    _ items: [Item], to update: FolderUpdate, type: SafetensorsType, maxShardSize: Int = .max
  ) throws {
    if type == .float16 { try checkFloat16(items, "\(update.folder)/\(single)") }
    let shards = shards(items, type, maxShardSize)
    let old = fileExists(update.folder) ? try earlierShards(update.folder) : []
    guard shards.count > 1 else {
      try write(items, single, to: update, type: type)
      return try update.remove([index] + old)
    }
    let names = shards.indices.map { shardName($0 + 1, of: shards.count) }
    for (name, shard) in zip(names, shards) {
      try write(shard, name, to: update, type: type)
    }
    try update.write(index, indexText(names, shards, type).text(pretty: true) + "\n")
    try update.remove([single] + old.filter { !names.contains($0) })
  }

  /// Items in order, as many to a shard as fit.
  private static func shards(
    _ items: [Item], _ type: SafetensorsType, _ maxShardSize: Int
  ) -> [[Item]] {
    var shards: [[Item]] = [[]]
    var size = 0
    for item in items {
      let bytes = item.weight.count * type.size
      if size + bytes > maxShardSize, size > 0 {
        shards.append([])
        size = 0
      }
      shards[shards.count - 1].append(item)
      size += bytes
    }
    return shards
  }

  private static func shardName(_ number: Int, of count: Int) -> String {
    func digits(_ value: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
    return "model-\(digits(number))-of-\(digits(count)).safetensors"
  }

  private static func indexText(
    _ names: [String], _ shards: [[Item]], _ type: SafetensorsType
  ) -> JSON {
    let count = shards.joined().reduce(0) { $0 + $1.weight.count }
    let map = zip(names, shards).flatMap { name, shard in
      shard.map { JSON.Member($0.name, .string(name)) }
    }
    return .object([
      JSON.Member(
        "metadata",
        .object([
          JSON.Member("total_parameters", .integer(count)),
          JSON.Member("total_size", .integer(count * type.size)),
        ])),
      JSON.Member("weight_map", .object(map)),
    ])
  }

  /// Shards that an earlier save left in the folder: files named as `shardName` does.
  private static func earlierShards(_ folder: String) throws -> [String] {
    try folderEntries(folder).filter {
      $0.wholeMatch(of: /model-\d{5}-of-\d{5}\.safetensors/) != nil
    }
  }
}
