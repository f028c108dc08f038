import Core
import Kernels

/// An immutable weight matrix that is stored once, packed as bfloat16 for products.
///
/// Products widen the weights and add in float32 in the order of `PackedMatrix`: results are those
/// of a float32 matrix of the same rounded weights, to the bit. It collects no gradient, but passes
/// one on to the product's input.
public final class BFloat16Matrix: PackedPanels, @unchecked Sendable {
  /// Sizes as the weights are stored in files: [outputs, inputs], or [inputs, outputs] where
  /// transposed.
  public let shape: [Int]
  /// Whether files store it [inputs, outputs], as GPT-2's do.
  public let isTransposed: Bool
  private let storage: Storage
  private let panels: BFloat16Panels

  /// Outputs of the product.
  var n: Int { shape[isTransposed ? 1 : 0] }
  /// Inputs of the product.
  var k: Int { shape[isTransposed ? 0 : 1] }
  /// Bytes that it takes.
  var bytes: Int { storage.count * 4 }
  /// See `Storage.stamp`.
  var stamp: Int { storage.stamp }
  /// Number of weights.
  public var count: Int { shape[0] * shape[1] }

  /// Rounds the weights that `read` writes, a few stored rows at a time, on all threads.
  public init(
    shape: [Int], isTransposed: Bool = false,
    _ read: (_ rows: Range<Int>, _ target: UnsafeMutablePointer<Float>) -> Void
  ) throws(TensorError) {
    self.shape = shape
    self.isTransposed = isTransposed
    let (n, k) = isTransposed ? (shape[1], shape[0]) : (shape[0], shape[1])
    storage = try Storage(count: packedCount(rows: n, columns: k) / 2, for: "bfloat16 weights")
    let panels = BFloat16Panels(storage.pointer, n: n, k: k)
    self.panels = panels
    if n % panelWidth != 0 {
      // The padding columns of the last panel are read but not used: they must not be NaN by
      // chance.
      let last = (panelCount(n) - 1) * panelWidth * k / 2
      (storage.pointer + last).update(repeating: 0, count: panelWidth * k / 2)
    }
    let width = shape[1]
    // About a megabyte at a time, or a panel where that is more.
    let chunks = blocks(shape[0], size: max(1, (1 << 18) / max(1, width * panelWidth)) * panelWidth)
    let threads = min(Team.shared.threads, chunks.count)
    try Memory.requireBuffer(
      bytes: threads * (chunks.first?.count ?? 0) * width * 4, for: "bfloat16 weights")
    Team.shared.forEach(chunks.count) { range in
      let scratch = Storage(count: chunks[range.lowerBound].count * width)
      for rows in chunks[range] {
        read(rows, scratch.pointer)
        if isTransposed {
          panels.store(inputs: rows, from: scratch.pointer)
        } else {
          panels.store(outputs: rows, from: scratch.pointer)
        }
      }
    }
  }

  /// Rounds a float32 matrix.
  public convenience init(_ tensor: Tensor, isTransposed: Bool = false) throws(TensorError) {
    let (source, width) = (tensor.pointer, tensor.shape[1])
    try self.init(shape: tensor.shape, isTransposed: isTransposed) { rows, target in
      target.update(from: source + rows.lowerBound * width, count: rows.count * width)
    }
    withExtendedLifetime(tensor) {}
  }

  /// Writes rows as they are stored in files, in float32: [rows, shape[1]].
  public func load(rows: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    if isTransposed {
      panels.load(inputs: rows, into: target)
    } else {
      panels.load(outputs: rows, into: target)
    }
  }

  /// The weights in float32, in a tensor that collects no gradient.
  public func floats() throws(TensorError) -> Tensor {
    let result = try Tensor.result(shape, for: "float32 weights")
    let chunks = blocks(shape[0], size: panelWidth)
    Team.shared.forEach(chunks.count, atLeast: 4) { range in
      for rows in chunks[range] {
        load(rows: rows, into: result.pointer + rows.lowerBound * shape[1])
      }
    }
    return result
  }

  func multiply(
    _ x: UnsafePointer<Float>, rows: Range<Int>, panels range: Range<Int>, into y: GradientBuffer
  ) {
    multiplyPacked(
      panels.words, n: n, k: k, panels: range, x: Factor(rows: x, k: k), rows: rows, y: y.pointer,
      adding: y.adds)
  }

  /// dx = dy W, or dx += dy W, for dy [rows, n] and dx [rows, k].
  func inputGradient(
    _ dy: UnsafePointer<Float>, rows: Int, into dx: GradientBuffer
  ) throws(TensorError) {
    let (n, k) = (n, k)
    let packed = try Storage(count: packedCount(rows: k, columns: n), for: "backward")
    let factor = Factor(rows: dy, k: n)
    Team.shared.forEach(panelCount(k), atLeast: grain(rows: rows, k: n)) { range in
      panels.packTransposed(panels: range, into: packed.pointer)
      multiplyPacked(
        packed.pointer, n: k, k: n, panels: range, x: factor, rows: 0..<rows, y: dx.pointer,
        adding: dx.adds)
    }
  }
}
