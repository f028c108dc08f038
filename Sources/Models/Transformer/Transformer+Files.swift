import Core
import Kernels
import Tensors

// From and to a Hugging Face folder, and new models with random weights.

extension Transformer {
  /// Reads config.json and the safetensors files of a folder; weights become float32 and trainable,
  /// or matrices are held as bfloat16, which cannot be trained.
  ///
  /// Throws a `FileError` that names file and tensor on missing, extra or wrongly shaped weights,
  /// and where the weights do not fit into memory, before any is read.
  public convenience init(
    folder: String, as type: ScalarType = .float32, keyValues: ScalarType = .float32
  ) throws {
    let configuration = try ModelConfiguration(folder: folder)
    try Self.checkFits(configuration, as: type, folder)
    let file = try Safetensors(folder: folder)
    let architecture = configuration.architecture
    let prefix = file.contains(architecture.embedding) ? "" : architecture.prefix
    var list = WeightList(file)
    try self.init(
      configuration, keyValues: keyValues, prefix: prefix, adapter: nil
    ) { name, shape, use in
      try list.ask(name, shape)
      guard list.isComplete else { return .float32(try Tensor.result(shape, for: "load")) }
      guard type == .float32 || use == .vector else {
        return .bfloat16(try file.matrix(name, shape, isTransposed: use.isTransposed))
      }
      let tensor = try Tensor.result(shape, for: "load")
      try file.read(name, into: tensor.pointer, count: tensor.count)
      return .float32(tensor, isTransposed: use.isTransposed)
    }
    try Self.check(list, configuration)
    try Self.checkTiedHead(file, prefix + architecture.embedding, configuration)
    if type == .float32 { try setTrainable(true) }
  }

  private static func checkFits(
    _ c: ModelConfiguration, as type: ScalarType, _ folder: String
  ) throws {
    let bytes = c.weightBytes(as: type)
    let available = Memory.usableBytes()
    guard bytes >= available else { return }
    let halves = c.weightBytes(as: .bfloat16)
    throw ModelError.tooLarge(
      folder, weights: c.parameterCount, type, bytes: bytes, available: available,
      asBFloat16: type == .float32 && halves < available ? halves : nil)
  }

  /// A tied head that is stored all the same is the embedding: Hugging Face would use another one,
  /// whatever the file says.
  private static func checkTiedHead(
    _ file: Safetensors, _ embedding: String, _ configuration: ModelConfiguration
  ) throws {
    let head = "lm_head.weight"
    guard configuration.tiesEmbeddings, file.contains(head) else { return }
    guard try file.areEqual(head, embedding) else {
      throw FileError(
        file.path,
        "tensor '\(head)' is not '\(embedding)', which config.json says it is "
          + "('tie_word_embeddings')")
    }
  }

  /// A stored copy of a tied head and the buffers of old files may be there; anything else is a
  /// wrong model.
  static func check(_ list: WeightList, _ configuration: ModelConfiguration) throws {
    let buffers =
      switch configuration.architecture {
      case .llama: ["rotary_emb.inv_freq"]
      case .gpt2: [".attn.bias", ".attn.masked_bias"]
      }
    try list.check { name in
      buffers.contains { name.hasSuffix($0) }
        || configuration.tiesEmbeddings && name == "lm_head.weight"
    }
  }

  /// A model with random weights, as Hugging Face starts one: normal with deviation
  /// `initializer_range` (in GPT-2, less for what is added to the residual stream), norms 1, biases
  /// 0.
  public static func random(
    _ configuration: ModelConfiguration, keyValues: ScalarType = .float32, seed: UInt64
  ) throws -> Transformer {
    var stream: UInt64 = 0
    let model = try Transformer(configuration, keyValues: keyValues) { name, shape in
      stream += 1
      let tensor = try Tensor.zeroResult(shape, for: "new_model")
      if shape.count == 1, !name.hasSuffix("bias") {
        tensor.pointer.update(repeating: 1, count: tensor.count)
      } else if !name.hasSuffix("bias") {
        var random = RandomStream(seed: seed, stream: stream)
        let deviation = configuration.deviation(of: name)
        for i in 0..<tensor.count {
          tensor.pointer[i] = Float(random.normal() * deviation)
        }
      }
      return tensor
    }
    try model.setTrainable(true)
    return model
  }
}

extension Transformer {
  /// Writes a Hugging Face folder: the weights, config.json and the files that came with the model.
  ///
  /// Whenever the process dies, the folder holds the old model or the new one, or has no
  /// config.json and does not load: see
  /// `FolderUpdate`. By default weights are written as they are held, in one file; one of more than
  /// `maxShardSize` bytes becomes several with an index. An adapter is merged into the weights that
  /// are written.
  public func save(
    folder: String, companions: [String: [UInt8]] = [:], type: SafetensorsType? = nil,
    maxShardSize: Int = .max
  ) throws {
    try update(folder: folder, companions: companions, type: type, maxShardSize: maxShardSize)
      .commit()
  }

  /// What `save` writes, staged.
  func update(
    folder: String, companions: [String: [UInt8]] = [:], type: SafetensorsType? = nil,
    maxShardSize: Int = .max
  ) throws -> FolderUpdate {
    let items = try merged().weights.map { Safetensors.Item(name: $0.name, weight: $0.weight) }
    return try ModelFolder.update(
      configuration, items, companions: companions,
      type: type ?? (weightType == .bfloat16 ? .bfloat16 : .float32), maxShardSize: maxShardSize,
      to: folder)
  }
}

extension Safetensors {
  /// A matrix of a file, held as bfloat16; weights of other formats are rounded.
  func matrix(
    _ name: String, _ shape: [Int], isTransposed: Bool
  ) throws -> BFloat16Matrix {
    let read = try reader(name, count: shape.reduce(1, *))
    let width = shape[1]
    let failure = FirstError()
    let matrix = try BFloat16Matrix(shape: shape, isTransposed: isTransposed) { rows, target in
      failure.catching { try read(rows.lowerBound * width..<rows.upperBound * width, target) }
    }
    try failure.check()
    return matrix
  }
}

extension ModelConfiguration {
  fileprivate func deviation(of name: String) -> Double {
    architecture == .gpt2 && name.hasSuffix("c_proj.weight")
      ? initializerRange / Double(2 * layerCount).squareRoot() : initializerRange
  }
}
