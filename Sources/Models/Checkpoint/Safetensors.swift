import Core
import Glibc
import Tensors
import Text

// Reading tensors from safetensors files, one or several shards: opening a large checkpoint reads
// the headers, and nothing else until a tensor is asked for.

/// The tensors of a safetensors file or of a model folder's files.
public struct Safetensors: Sendable {
  /// The file or folder, as it was given.
  public let path: String
  /// Names of the tensors, sorted.
  public let names: [String]
  /// Metadata of the header; empty for a folder of several files.
  public let metadata: [String: String]
  private let shards: [Shard]
  private let shardOfName: [String: Int]

  private struct Shard: Sendable {
    let path: String
    let file: InputFile
    let header: SafetensorsHeader

    init(_ path: String) throws {
      self.path = path
      file = try InputFile(path)
      let start = min(file.size, 8)
      let length = try file.withBytes(0..<start) {
        $0.count < 8 ? 0 : UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
      }
      let isPossible = length <= UInt64(SafetensorsHeader.longest)
      let end = isPossible ? min(file.size, 8 + Int(length)) : start
      let size = file.size
      header = try file.withBytes(0..<end) { try SafetensorsHeader($0, size: size, file: path) }
    }
  }

  /// Opens one file and checks its header.
  public init(file path: String) throws {
    let shard = try Shard(path)
    self.init(
      path: path, metadata: shard.header.metadata, shards: [shard],
      shardOfName: shard.header.entries.mapValues { _ in 0 })
  }

  private init(
    path: String, metadata: [String: String], shards: [Shard], shardOfName: [String: Int]
  ) {
    (self.path, self.metadata) = (path, metadata)
    (self.shards, self.shardOfName) = (shards, shardOfName)
    names = shardOfName.keys.sorted()
  }

  /// Opens a folder's `model.safetensors`, or the shards listed in `model.safetensors.index.json`.
  public init(folder: String) throws {
    let index = "\(folder)/model.safetensors.index.json"
    guard !fileExists("\(folder)/model.safetensors"), fileExists(index) else {
      if !fileExists("\(folder)/model.safetensors"), fileExists("\(folder)/pytorch_model.bin") {
        throw FileError(
          folder,
          "has its weights in pytorch_model.bin, a pickle, which can run code and is not read; "
            + "save the model with safetensors (save_pretrained of transformers does)")
      }
      try self.init(file: "\(folder)/model.safetensors")
      return
    }
    guard let map = try JSONFields(file: index).object("weight_map"),
      case .object(let members) = map.value
    else { throw FileError(index, "field 'weight_map' is missing; it must be an object") }
    var shards: [Shard] = []
    var shardOfFile: [String: Int] = [:]
    var shardOfName: [String: Int] = [:]
    for name in members.map(\.key) {
      let file = try map.string(name)
      guard !file.contains("/") else {
        throw map.error(name, "must be a file of the folder, got '\(file)'")
      }
      if shardOfFile[file] == nil {
        shardOfFile[file] = shards.count
        shards.append(try Shard("\(folder)/\(file)"))
      }
      let number = shardOfFile[file] ?? 0
      guard shards[number].header.entries[name] != nil else {
        throw FileError(index, "tensor '\(name)' is not in \(file), where the index puts it")
      }
      shardOfName[name] = number
    }
    self.init(path: folder, metadata: [:], shards: shards, shardOfName: shardOfName)
  }

  /// Whether there is a tensor of this name.
  public func contains(_ name: String) -> Bool { shardOfName[name] != nil }

  /// The shape of a tensor.
  public func shape(of name: String) throws -> [Int] { try entry(name).entry.shape }

  /// The number format of a tensor.
  public func type(of name: String) throws -> SafetensorsType { try entry(name).entry.type }

  /// The numbers of a float tensor, row-major.
  public func read(_ name: String) throws -> [Float] {
    let count = try entry(name).entry.count
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let start = buffer.baseAddress { try read(name, into: start, count: count) }
      initialized = count
    }
  }

  /// Writes the `count` numbers of a float tensor (F32, F16, BF16 or F64) to memory.
  ///
  /// Throws when the tensor has another number of elements or is not of floats.
  public func read(_ name: String, into target: UnsafeMutablePointer<Float>, count: Int) throws {
    let read = try reader(name, count: count)
    let pieces = blocks(count, size: 1 << 20)
    let failure = FirstError()
    Team.shared.forEach(pieces.count) { range in
      failure.catching {
        for piece in pieces[range] { try read(piece, target + piece.lowerBound) }
      }
    }
    try failure.check()
  }

  /// A function that reads a range of a float tensor's `count` numbers into memory, from any
  /// thread.
  func reader(_ name: String, count: Int) throws
    -> (_ range: Range<Int>, _ target: UnsafeMutablePointer<Float>) throws -> Void
  {
    let (shard, entry) = try entry(name)
    guard entry.count == count else {
      throw FileError(
        shard.path, "tensor '\(name)' has shape \(entry.shape), expected \(count) elements")
    }
    guard entry.type.isFloat else {
      throw FileError(
        shard.path, "tensor '\(name)' has dtype \(entry.type.rawValue), expected floats")
    }
    let (start, size) = (entry.bytes.lowerBound, entry.type.size)
    return { range, target in
      try Interrupt.check()
      let bytes = start + range.lowerBound * size..<start + range.upperBound * size
      guard entry.type != .float32 else { return try shard.file.read(bytes, into: target) }
      try shard.file.withBytes(bytes) {
        FloatConversion.convert($0, entry.type, into: target, count: range.count)
      }
    }
  }

  /// Whether two tensors have the same format, shape and bytes.
  func areEqual(_ first: String, _ second: String) throws -> Bool {
    let (a, b) = try (entry(first), entry(second))
    guard a.entry.type == b.entry.type, a.entry.shape == b.entry.shape else { return false }
    return try blocks(a.entry.bytes.count, size: 1 << 22).allSatisfy { piece in
      try Interrupt.check()
      func place(_ entry: SafetensorsEntry) -> Range<Int> {
        entry.bytes.lowerBound + piece.lowerBound..<entry.bytes.lowerBound + piece.upperBound
      }
      return try a.shard.file.withBytes(place(a.entry)) { one in
        try b.shard.file.withBytes(place(b.entry)) { other in
          guard let one = one.baseAddress, let other = other.baseAddress else { return true }
          return memcmp(one, other, piece.count) == 0
        }
      }
    }
  }

  /// The numbers of an integer or Boolean tensor, row-major.
  public func integers(_ name: String) throws -> [Int] {
    let (shard, entry) = try entry(name)
    func load<Value: FixedWidthInteger>(_ type: Value.Type) throws -> [Int] {
      try shard.file.withBytes(entry.bytes) { bytes in
        (0..<entry.count).map {
          Int(bytes.loadUnaligned(fromByteOffset: $0 * entry.type.size, as: type))
        }
      }
    }
    switch entry.type {
    case .int64: return try load(Int64.self)
    case .int32: return try load(Int32.self)
    case .int16: return try load(Int16.self)
    case .int8: return try load(Int8.self)
    case .uint8, .bool: return try load(UInt8.self)
    case .float32, .float64, .float16, .bfloat16:
      throw FileError(
        shard.path, "tensor '\(name)' has dtype \(entry.type.rawValue), expected integers")
    }
  }

  private func entry(_ name: String) throws -> (shard: Shard, entry: SafetensorsEntry) {
    guard let number = shardOfName[name], let entry = shards[number].header.entries[name] else {
      throw FileError(path, "there is no tensor '\(name)'")
    }
    return (shards[number], entry)
  }
}
