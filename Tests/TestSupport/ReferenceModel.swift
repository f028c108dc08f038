import Core
import Foundation
import Models
import Tensors
import Text

/// A model folder of the fixtures with the results that Hugging Face transformers gave for it.
public struct ReferenceModel {
  /// Folder name under models/.
  public let name: String
  /// The model as we load it.
  public let model: Transformer
  /// ref/forward.safetensors.
  public let forward: Safetensors
  /// ref/ref.json.
  public let reference: JSON

  /// Loads the model and its reference results.
  public init(_ name: String) throws {
    self.name = name
    let folder = Fixtures.path("models/\(name)")
    model = try Transformer(folder: folder)
    forward = try Safetensors(file: folder + "/ref/forward.safetensors")
    reference = try JSON.read(folder + "/ref/ref.json")
  }

  /// The rows of a padded case without their padding, and the place of each first token.
  public func sequences(_ name: String) throws -> [(tokens: [Int], start: Int)] {
    let ids = try forward.integers("\(name).input_ids")
    let shape = try forward.shape(of: "\(name).input_ids")
    let mask =
      forward.contains("\(name).attention_mask")
      ? try forward.integers("\(name).attention_mask") : ids.map { _ in 1 }
    return (0..<shape[0]).map { row in
      let places = (row * shape[1]..<(row + 1) * shape[1]).filter { mask[$0] == 1 }
      return (places.map { ids[$0] }, (places.first ?? 0) - row * shape[1])
    }
  }

  /// Prompts and completions of case `train`: the response is the last `response_width` columns.
  public func trainSequences() throws -> [TokenSequence] {
    let width = try forward.shape(of: "train.input_ids")[1]
    let responseWidth = try apo("response_width").intValue
    return try sequences("train").map { tokens, start in
      let prompt = width - responseWidth - start
      return TokenSequence(
        prompt: Array(tokens[..<prompt]), completion: Array(tokens[prompt...]))
    }
  }

  /// A field of ref.json's `apo` section.
  public func apo(_ key: String) throws -> JSON { try reference.at("apo", key) }
}

extension JSON {
  /// The value under a path of keys; throws where there is none.
  public func at(_ keys: String...) throws -> JSON {
    try keys.reduce(self) { value, key in
      guard let next = value[key] else { throw FileError("reference", "no field '\(key)'") }
      return next
    }
  }

  /// The number, or NaN.
  public var double: Double {
    switch self {
    case .integer(let value): Double(value)
    case .double(let value): value
    default: .nan
    }
  }

  /// The integer, or -1.
  public var intValue: Int { if case .integer(let value) = self { value } else { -1 } }

  /// The elements of an array, or none.
  public var elements: [JSON] { if case .array(let list) = self { list } else { [] } }

  /// The numbers of an array.
  public var floats: [Float] { elements.map { Float($0.double) } }
}

/// The largest |a − b|; infinity where the lengths differ or a NaN stands.
public func largestDifference(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Float {
  let (a, b) = (Array(a), Array(b))
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { worst, pair in
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN ? .infinity : max(worst, difference)
  }
}
