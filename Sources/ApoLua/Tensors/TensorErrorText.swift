// Error texts of the engine for scripts, which count positions and dimensions from 1.

import Core
import Tensors

extension Interrupted: CustomStringConvertible {
  /// The text as scripts see it.
  public var description: String {
    switch self {
    case .byUser: "interrupted!"
    case .memoryIsShort: "not enough memory"
    }
  }
}

extension OutOfMemory: CustomStringConvertible {
  /// The text as scripts see it.
  public var description: String {
    "\(operation): \(max(1, needed / 1_000_000)) MB of memory needed, "
      + "\(available / 1_000_000) MB available"
  }
}

extension TensorError: CustomStringConvertible {
  /// The text as scripts see it.
  public var description: String {
    switch self {
    case .stopped(let error): error.description
    case .outOfMemory(let error): error.description
    case .impossibleShape(let operation, let shape):
      "\(operation): a tensor of shape \(described(shape)) cannot be made"

    case .shapes(let operation, let expected, let given):
      "\(operation): \(expected) expected, got \(joined(given))"
    case .notOneElement(let operation, let shape):
      "\(operation): a tensor with one element expected, got shape \(shape)"
    case .notBroadcastable(let operation, let a, let b):
      "\(operation): shapes \(described(a)) and \(described(b)) do not broadcast"
    case .notExpandable(let shape, let wanted):
      "expand: shape \(shape) does not broadcast to \(described(wanted))"
    case .factors(let a, let b, let columns, let rows):
      "matmul: shapes \(a) and \(b) do not match: \(columns) columns but \(rows) rows"
    case .severalUnknownSizes(let shape, let wanted):
      "reshape: \(shape) cannot become \(described(wanted)): only one size may be -1"
    case .notReshapable(let shape, let wanted):
      "reshape: \(shape) has \(shape.reduce(1, *)) elements and cannot become \(described(wanted))"
    case .unequalShapes(let operation, let first, let other, let index, let dimension):
      "\(operation): shapes \(first) and \(other) (tensor \(index + 1)) differ"
        + (dimension.map { " outside of dimension \(scriptIndex($0))" } ?? "")
    case .scalarsInCat: "cat: a scalar cannot be concatenated; use stack"
    case .noTensors(let operation): "\(operation): at least one tensor expected"
    case .gatherShapes(let index, let shape, let dimension):
      "gather: index of shape \(index) for a tensor of shape \(shape): as many dimensions "
        + "expected, none longer except dimension \(scriptIndex(dimension))"
    case .segments(let count, let tokens, let expected, let given):
      "a tensor of shape [\(expected)] expected for \(count) completions of \(tokens) tokens, "
        + "got \(given)"

    case .dimension(let operation, let dimension, let shape, let count):
      "\(operation): dimension \(scriptIndex(dimension)) of a tensor of shape \(shape); "
        + "expected 1 to \(count)"
    case .position(_, let shape) where shape.isEmpty:
      "index: a scalar has no elements to choose from"
    case .position(let index, let shape):
      "index: position \(scriptIndex(index)) is outside of 1..\(shape[0]) for shape \(shape)"
    case .range(let start, let length, let dimension, let size, let shape):
      "narrow: \(length) positions from \(scriptIndex(start)) on are outside of 1..\(size), "
        + "dimension \(scriptIndex(dimension)) of shape \(shape)"
    case .gatherIndex(let value, let place, let size):
      if let index = Int(exactly: value) {
        "gather: index \(scriptIndex(index)) at position \(scriptIndices(place)) is outside of "
          + "1..\(size)"
      } else {
        "gather: index \(value + 1) at position \(scriptIndices(place)) is not a whole number"
      }
    case .noElements(let operation, let shape):
      "\(operation): no elements to choose from in shape \(shape)"

    case .clampWithoutBounds: "clamp: at least one of min and max expected"
    case .arangeNumbers(let start, let end, let step):
      "arange: finite numbers and a step other than 0 expected, got \(start), \(end), \(step)"
    case .arangeDirection(let start, let end, let step):
      "arange: step \(step) cannot reach \(end) from \(start)"
    case .arangeCount(let start, let end, let step):
      "arange: too many numbers from \(start) to \(end) in steps of \(step)"

    case .notALeaf: "requires_grad_: only leaves can stop requiring a gradient; use detach()"
    case .gradientShape(let gradient, let shape):
      "backward: gradient of shape \(gradient) for a tensor of shape \(shape)"
    case .noGraph: "backward: the tensor does not depend on anything that requires a gradient"
    case .graphFreed(let operation):
      "backward: the graph of '\(operation)' was freed by an earlier or interrupted backward(); "
        + "pass retain_graph = true to the first one to use it twice"
    case .changedInPlace(let operation, let operand):
      "backward: \(operand.text(operation)) was changed in place after it was used"
    }
  }
}

extension TensorError.Operand {
  fileprivate func text(_ operation: String) -> String {
    switch self {
    case .tensor: "a tensor that '\(operation)' needs"
    case .weight: "the weight of '\(operation)'"
    case .outputLayer: "the output layer of '\(operation)'"
    }
  }
}

/// A 0-based position or dimension as scripts count it.
private func scriptIndex(_ index: Int) -> Int { index == .max ? index : index + 1 }

/// 0-based positions as scripts count them: `[1, 3]`.
private func scriptIndices(_ indices: [Int]) -> String { described(indices.map(scriptIndex)) }

/// A shape: `[2, 3]`; very long shapes are truncated.
private func described(_ shape: [Int]) -> String {
  shape.count <= 64 ? "\(shape)" : "[\(shape.count) sizes]"
}

/// Shapes one after the other: `[2, 3], [4] and [5]`.
private func joined(_ shapes: [[Int]]) -> String {
  let texts = shapes.map(described)
  return texts.count < 2
    ? texts.joined() : texts.dropLast().joined(separator: ", ") + " and " + texts[texts.count - 1]
}
