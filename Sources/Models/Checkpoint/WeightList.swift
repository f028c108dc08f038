import Core

/// Compares the tensors of a file with those that a model asks for, so that one error names all
/// that do not fit.
struct WeightList {
  private let file: Safetensors
  private var used: Set<String> = []
  private var missing: [String] = []
  private var wrongShapes: [String] = []

  init(_ file: Safetensors) { self.file = file }

  /// Notes a tensor that the model needs, and whether the file has it in this shape.
  mutating func ask(_ name: String, _ shape: [Int]) throws {
    used.insert(name)
    guard file.contains(name) else { return missing.append(name) }
    let stored = try file.shape(of: name)
    if stored != shape {
      wrongShapes.append(
        "tensor '\(name)' has shape \(stored), \(shape) expected from config.json")
    }
  }

  /// Throws when something was missing or of another shape, or when the file has more; `mayBeThere`
  /// says what is passed over.
  func check(mayBeThere: (String) -> Bool) throws {
    let extras = file.names.filter { !used.contains($0) && !mayBeThere($0) }
    var problems: [String] = []
    if let first = missing.first {
      problems.append(
        missing.count == 1
          ? "tensor '\(first)' is missing"
          : "\(missing.count) tensors are missing: \(Self.list(missing))")
    }
    problems += wrongShapes.prefix(3)
    if wrongShapes.count > 3 {
      problems.append("\(wrongShapes.count - 3) more tensors have other shapes")
    }
    if !extras.isEmpty {
      problems.append(
        "\(extras.count) tensors have no place in the model config.json describes: "
          + Self.list(extras))
    }
    if !problems.isEmpty { throw FileError(file.path, problems.joined(separator: "; ")) }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
    return names.count > 5 ? shown + ", …" : shown
  }
}
