import Core
import Tensors

// Adding, removing and merging an adapter. A model and its adapted version share the weights: the
// base costs no memory, and serves as the reference policy while the adapter is trained.

extension Transformer {
  /// This model with an adapter; shares the weights, which are frozen, and trains the adapter.
  public func adapted(by adapter: LoRA) throws -> Transformer {
    try setTrainable(false)
    let model = try rebuilt(adapter: adapter)
    try model.setTrainable(true)
    return model
  }

  /// The model without its adapter; shares the weights.
  public func base() throws -> Transformer { try rebuilt(adapter: nil) }

  /// A new adapter as PEFT starts one: A uniform in ±1/√in (Kaiming with a = √5), B zero, so that
  /// it changes nothing yet.
  public func newAdapter(_ configuration: LoRAConfiguration, source: String, seed: UInt64) throws
    -> LoRA
  {
    var stream: UInt64 = 0
    let adapter = try LoRA(configuration, for: layout, source: source) { name, shape in
      let tensor = try Tensor.zeroResult(shape, for: source)
      guard name.hasSuffix("lora_A.weight") else { return tensor }
      stream += 1
      var random = RandomStream(seed: seed, stream: stream)
      let bound = 1 / Double(max(1, shape[1])).squareRoot()
      try tensor.fill(from: &random) { Float((2 * $0.uniform() - 1) * bound) }
      return tensor
    }
    let unmatched = configuration.unmatched(layout.linears.map(layout.className))
    if let (field, entry) = unmatched.first {
      throw FileError(
        source,
        "field '\(field)': '\(entry)' names no linear map of this model (it has "
          + "\(LoRA.kinds(layout).joined(separator: ", ")))")
    }
    return adapter
  }

  /// A model without an adapter whose adapted weights are W + s B A; shares the others.
  public func merged() throws -> Transformer {
    guard let adapter else { return self }
    var changes: [String: Tensor] = [:]
    for update in adapter.updates {
      let product = try withoutGradients { try update.factors.product() }
      changes[update.map.weight.name] =
        try update.map.isTransposed ? product.transpose(0, 1) : product
    }
    return try rebuilt(adapter: nil) { weight, shape in
      guard let change = changes.removeValue(forKey: shape.name) else { return weight }
      let sum = try withoutGradients { try weight.floats() + change }
      let isTransposed = shape.use.isTransposed
      guard weight.tensor == nil else { return .float32(sum, isTransposed: isTransposed) }
      return .bfloat16(try BFloat16Matrix(sum, isTransposed: isTransposed))
    }
  }

  /// Reads an adapter for this model from a folder that PEFT or `saveAdapter` wrote; its factors
  /// become float32.
  ///
  /// Throws a `FileError` that names file and field on settings that cannot be computed, before a
  /// tensor is read, and one that names file and tensor on missing, extra or wrongly shaped
  /// tensors.
  public func readAdapter(folder: String) throws -> LoRA {
    try LoRA(folder: folder, for: layout, configuration.architecture)
  }

  /// Writes the adapter as a folder for PEFT, `base` being the name or path of the base model.
  public func saveAdapter(
    folder: String, base: String? = nil, type: SafetensorsType = .float32
  ) throws {
    try adapterUpdate(folder: folder, base: base, type: type).commit()
  }

  /// Stages what `saveAdapter` writes.
  func adapterUpdate(
    folder: String, base: String? = nil, type: SafetensorsType = .float32
  ) throws -> FolderUpdate {
    guard let adapter else { throw FileError(folder, "there is no adapter to save") }
    return try adapter.stage(folder: folder, base: base, type: type)
  }
}
