// Writing a model's weights as one file or as several with an index, as Hugging Face's save_pretrained does.

import Core
import Text

extension Safetensors {
  private static let single = "model.safetensors"
  private static let index = "model.safetensors.index.json"

  /// Stages the weights of a model folder: `model.safetensors`, or shards of at most `maxShardSize` bytes of weights and
  /// their index where they do not fit into one.
  ///
  /// A weight that is larger than a shard has one to itself. Weight files of an earlier save that would be read instead
  /// of, or beside, the new ones are removed. Throws before anything is written where float16 cannot hold a number.
  static func write(
    _ items: [Item], to update: FolderUpdate, type: SafetensorsType, maxShardSize: Int = .max
  ) throws {
    if type == .float16 { try checkFloat16(items, "\(update.folder)/\(single)") }
    let shards = shards(items, type, maxShardSize)
    let old = try earlierShards(update.folder)
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
