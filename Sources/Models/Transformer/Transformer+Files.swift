import Core
import Kernels
import Tensors

// Loading and saving Hugging Face folders, and models with random weights.

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
    try Self.checkFits(configuration.architecture, as: type, folder)
    let file = try Safetensors(folder: folder)
    let layout = configuration.architecture.layout(in: file)
    try file.check(layout.weights, layout)
    try self.init(configuration, layout, keyValues: keyValues, adapter: nil) { weight in
      let (name, shape) = (weight.name, weight.shape)
      guard type == .float32 || weight.use.isVector else {
        return .bfloat16(try file.matrix(name, shape, isTransposed: weight.use.isTransposed))
      }
      return .float32(try file.tensor(name, shape), isTransposed: weight.use.isTransposed)
    }
    try file.checkTiedHead(layout)
    if type == .float32 { try setTrainable(true) }
  }

  private static func checkFits(
    _ model: Architecture, as type: ScalarType, _ folder: String
  ) throws {
    let bytes = model.weightBytes(as: type)
    let available = Memory.usableBytes()
    guard bytes >= available else { return }
    let asBFloat16 = model.weightBytes(as: .bfloat16)
    throw ModelError.tooLarge(
      folder, weights: model.parameterCount, type, bytes: bytes, available: available,
      asBFloat16: type == .float32 && asBFloat16 < available ? asBFloat16 : nil)
  }

  /// A model with random weights, as Hugging Face starts one: normal with deviation
  /// `initializer_range` (in GPT-2, less for what is added to the residual stream), norms 1, biases
  /// 0.
  public static func random(
    _ configuration: ModelConfiguration, keyValues: ScalarType = .float32, seed: UInt64
  ) throws -> Transformer {
    var stream: UInt64 = 0
    let layout = configuration.architecture.layout
    let model = try Transformer(configuration, layout, keyValues: keyValues, adapter: nil) {
      weight in
      stream += 1
      let tensor = try Tensor.zeroResult(weight.shape, for: "new_model")
      switch weight.use {
      case .bias: break
      case .normWeight: tensor.pointer.update(repeating: 1, count: tensor.count)
      case .table, .matrix, .transposedMatrix:
        var random = RandomStream(seed: seed, stream: stream)
        let deviation = configuration.deviation(of: weight)
        try tensor.fill(from: &random) { Float($0.normal() * deviation) }
      }
      return .float32(tensor, isTransposed: weight.use.isTransposed)
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

  /// Stages what `save` writes.
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

extension Architecture {
  /// The layout of a model under the names that a file has.
  func layout(in file: Safetensors) -> ModelLayout {
    let short = ModelLayout(self, prefix: "")
    return file.contains(short.embedTokens.name) ? short : layout
  }
}

extension ModelConfiguration {
  fileprivate func deviation(of weight: WeightShape) -> Double {
    weight.startsScaled
      ? initializerRange / Double(2 * architecture.layerCount).squareRoot() : initializerRange
  }
}

extension Safetensors {
  /// Throws unless the file has these tensors in their shapes, and no others but a stored copy of a
  /// tied head and the buffers of old files.
  func check(_ weights: [WeightShape], _ layout: ModelLayout) throws {
    var list = WeightList(self)
    for weight in weights { try list.ask(weight.name, weight.shape) }
    try list.check { name in
      layout.buffers.contains { name.hasSuffix($0) }
        || layout.tiesEmbeddings && name == layout.head.weight.name
    }
  }

  /// A tied head that is stored all the same is the embedding: Hugging Face would use another one,
  /// whatever the file says.
  fileprivate func checkTiedHead(_ layout: ModelLayout) throws {
    let (head, embedding) = (layout.head.weight.name, layout.embedTokens.name)
    guard layout.tiesEmbeddings, contains(head) else { return }
    guard try areEqual(head, embedding) else {
      throw FileError(
        path,
        "tensor '\(head)' is not '\(embedding)', which config.json says it is "
          + "('tie_word_embeddings')")
    }
  }

  /// A tensor of the file as float32; `function` asks for its memory.
  func tensor(_ name: String, _ shape: [Int], for function: String = "load") throws -> Tensor {
    let tensor = try Tensor.result(shape, for: function)
    try read(name, into: tensor.pointer, count: tensor.count)
    return tensor
  }

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
