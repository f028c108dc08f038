import Models
import TestSupport
import Text

// Readers of weights: a safetensors file, an index with its shards, a model folder.

extension FuzzReader {
  static let weightPlaces = [
    "tensor '", "field '", "header", "line ", "bytes", "is not a regular file", "cannot be opened",
    "must be an object", "must be a JSON object", "have no place in th",
  ]

  static func safetensors(_ folder: FuzzFolder) throws -> FuzzReader {
    let name = "fuzz.safetensors"
    let path = "\(folder.path)/\(name)"
    return FuzzReader(
      name: "safetensors", seeds: try weightSeeds(path), files: [name], places: weightPlaces
    ) { bytes in
      // From memory first, where a read behind the end is noticed; behind a mapped file there are
      // zeros.
      _ = try SafetensorsHeader(bytes, file: path)
      try folder.write(name, bytes)
      try readAll(Safetensors(file: path))
    }
  }

  static func index(_ folder: FuzzFolder) throws -> FuzzReader {
    for (file, name) in [("a.safetensors", "x"), ("b.safetensors", "y")] {
      let array = [(name: name, shape: [2, 2], values: [1, 2, 3, 4] as [Float])]
      try Safetensors.write(arrays: array, to: "\(folder.path)/\(file)")
    }
    let seeds = [
      #"{"metadata": {"total_size": 32}, "weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}"#,
      #"{"weight_map": {"y": "b.safetensors"}}"#,
    ]
    let name = "model.safetensors.index.json"
    return FuzzReader(
      name: "index", seeds: seeds.map { Array($0.utf8) }, files: [name, folder.path],
      places: weightPlaces
    ) { bytes in
      try folder.write(name, bytes)
      try readAll(Safetensors(folder: folder.path))
    }
  }

  static func model(_ folder: FuzzFolder) throws -> FuzzReader {
    var seeds: [[UInt8]] = []
    for text in [ConfigurationSeeds.tinyLlama, ConfigurationSeeds.tinyGPT2] {
      let configuration = try ModelConfiguration(JSON.parse(text), source: "seed")
      try Transformer.random(configuration, seed: 1).save(folder: folder.path)
      seeds.append(joined([Array(text.utf8), try contents("\(folder.path)/model.safetensors")]))
    }
    return FuzzReader(
      name: "model", seeds: seeds, files: ["config.json", "model.safetensors"],
      places: weightPlaces + ConfigurationSeeds.places
    ) { bytes in
      let files = bytes.files()
      try folder.write("config.json", files.first)
      try folder.write(
        "model.safetensors", files.second ?? UnsafeRawBufferPointer(start: nil, count: 0))
      let model = try Transformer(folder: folder.path)
      try useAnyway { _ = try model.logits([0, 1]) }
    }
  }

  private static func readAll(_ file: Safetensors) throws {
    for name in file.names {
      _ = try file.shape(of: name)
      if try file.type(of: name).isFloat {
        _ = try file.read(name)
      } else {
        _ = try file.integers(name)
      }
    }
  }

  private static func weightSeeds(_ path: String) throws -> [[UInt8]] {
    var seeds = [try contents(localFixture("python.safetensors"))]
    for type in [SafetensorsType.float32, .bfloat16] {
      try Safetensors.write(
        arrays: [("weight", [2, 3], [1, 2, 3, 4, 5, 6]), ("bias", [], [2]), ("none", [0], [])],
        to: path, type: type)
      seeds.append(try contents(path))
    }
    return seeds
  }
}

/// Uses what was read; that may throw, but not crash.
func useAnyway(_ body: () throws -> Void) throws {
  do { try body() } catch let failure as FuzzFailure { throw failure } catch {}
}
