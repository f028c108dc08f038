import Core
import Tensors

// Reading and writing PEFT's adapter folders: adapter_config.json and adapter_model.safetensors.

extension LoRA {
  /// Reads an adapter for a model of this layout from a folder that PEFT or `stage` wrote; its
  /// factors become float32.
  ///
  /// Throws a `FileError` that names file and field on settings that cannot be computed, before a
  /// tensor is read, and one that names file and tensor on missing, extra or wrongly shaped
  /// tensors.
  convenience init(folder: String, for model: ModelLayout, _ architecture: Architecture) throws {
    let source = "\(folder)/adapter_config.json"
    try ModelFolder.checkIsComplete(folder, last: "adapter_config.json")
    let settings = try LoRAConfiguration(folder: folder, architecture)
    // Checks the targets before the file of the tensors is opened.
    _ = try LoRA(settings, for: model, source: source) { _, _ in Tensor(zeros: [1, 1]) }
    let file = try Safetensors(file: "\(folder)/adapter_model.safetensors")
    var used: Set<String> = []
    try self.init(settings, for: model, source: source) { name, shape in
      used.insert(name)
      return try Self.read(name, shape, file)
    }
    let extras = file.names.filter { !used.contains($0) }
    guard extras.isEmpty else {
      let shown = extras.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
      throw FileError(
        file.path,
        "\(extras.count) tensors have no place in this model with the adapter that "
          + "adapter_config.json describes: \(shown)")
    }
  }

  private static func read(_ name: String, _ shape: [Int], _ file: Safetensors) throws -> Tensor {
    guard file.contains(name) else {
      throw FileError(file.path, "tensor '\(name)' is missing")
    }
    let stored = try file.shape(of: name)
    guard stored == shape else {
      throw FileError(
        file.path,
        "tensor '\(name)' has shape \(stored), \(shape) expected from this model and "
          + "adapter_config.json")
    }
    let tensor = try Tensor.result(shape, for: "load_adapter")
    try file.read(name, into: tensor.pointer, count: tensor.count)
    return tensor
  }

  /// Stages a folder for PEFT, `base` being the name or path of the base model.
  ///
  /// Whenever the process dies, the folder holds the old adapter or the new one, or has no
  /// adapter_config.json and does not load: see `FolderUpdate`.
  func stage(folder: String, base: String?, type: SafetensorsType) throws -> FolderUpdate {
    let items = parameters.map { name, tensor in
      Safetensors.Item(name: name, weight: .float32(tensor))
    }
    let settings = configuration.json(
      base: base, isTransposed: updates.contains { $0.map.isTransposed })
    let update = try FolderUpdate(folder, last: "adapter_config.json")
    try Safetensors.write(items, "adapter_model.safetensors", to: update, type: type)
    try update.write("adapter_config.json", settings.text(pretty: true) + "\n")
    return update
  }
}
