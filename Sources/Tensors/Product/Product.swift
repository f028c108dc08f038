import Core
import Kernels

// The product y = x Wᵀ of a linear layer: which way it is computed, and why. Every way adds in the
// same order over k, so the bits do not depend on it.

/// The way in which a product y = x Wᵀ with W [n, k] is computed.
struct Product {
  enum Method {
    /// With panels that the weight keeps (`Weight.pack`): sampling multiplies the same weights by a
    /// few rows thousands of times, and packing them for each product would take longer than the
    /// product. A bfloat16 weight has no other form.
    case packed(any PackedPanels)
    /// Each thread packs a few panels into its cache and multiplies them by all rows: in training
    /// and scoring many rows share the cost of packing, and the weights change at the next step.
    /// `isTransposed` where W is stored [k, n].
    case packingPanels(of: UnsafePointer<Float>, isTransposed: Bool)
  }

  let n: Int
  let k: Int
  let method: Method

  init(_ panels: any PackedPanels) {
    (n, k, method) = (panels.n, panels.k, .packed(panels))
  }

  /// The product with a float32 matrix without a packed copy, stored [n, k] or, where
  /// `isTransposed`, [k, n].
  init(_ weights: UnsafePointer<Float>, n: Int, k: Int, isTransposed: Bool) {
    (self.n, self.k) = (n, k)
    method = .packingPanels(of: weights, isTransposed: isTransposed)
  }

  /// y = x Wᵀ, or y += x Wᵀ, for x [rows, k] and y [rows, n]; a row of y does not depend on the
  /// other rows.
  ///
  /// Throws where there is no memory for the panels that threads pack.
  func multiply(
    _ x: UnsafePointer<Float>, rows: Int, into y: GradientBuffer
  ) throws(TensorError) {
    switch method {
    case .packed(let panels):
      split(rows: rows) { panels.multiply(x, rows: $1, panels: $0, into: y) }
    case .packingPanels(let weights, let isTransposed):
      guard k > 0 else { return y.clear(rows * n) }
      let packing = PanelPacking(weights, n: n, k: k, isTransposed: isTransposed)
      try packing.checkMemory()
      split(rows: rows) { packing.multiply(x, rows: $1, panels: $0, into: y) }
      try Interrupt.poll()
    }
  }

  /// Splits the panels over the threads, or, where a narrow matrix has too few of them, the rows.
  private func split(rows: Int, _ body: (_ panels: Range<Int>, _ rows: Range<Int>) -> Void) {
    let panels = panelCount(n)
    guard Self.splitsRows(rows, panels: panels) else {
      return Team.shared.forEach(panels, atLeast: grain(rows: rows, k: k)) { body($0, 0..<rows) }
    }
    // A packed matrix is multiplied by tiles of 8 rows; packing panels again is worth more rows.
    let size = if case .packed = method { 8 } else { 64 }
    let tiles = (rows + size - 1) / size
    Team.shared.forEach(tiles, atLeast: grain(rows: size, k: k, panels: panels)) {
      body(0..<panels, $0.lowerBound * size..<min(rows, $0.upperBound * size))
    }
  }

  /// Whether threads split the rows and not the panels.
  static func splitsRows(_ rows: Int, panels: Int) -> Bool { panels <= 2 && rows >= 64 }
}

/// A matrix W [n, k] in panels of 32 outputs, which can be multiplied one by one.
protocol PackedPanels: Sendable {
  /// Outputs of the product.
  var n: Int { get }
  /// Inputs of the product.
  var k: Int { get }
  /// y = x Wᵀ, or y += x Wᵀ, for the outputs of `panels`: x [all rows, k], y [all rows, n].
  func multiply(
    _ x: UnsafePointer<Float>, rows: Range<Int>, panels: Range<Int>, into y: GradientBuffer)
}

/// Panels that a thread packs as it goes, from weights stored [n, k] or, where `isTransposed`, [k,
/// n].
private struct PanelPacking {
  /// Bytes of panels that a thread packs at a time: they fit into the L2 cache beside the rows.
  private static let scratchBytes = 384 << 10
  /// Rows after which a thread checks for an interrupt: a multiple of the kernel's block, so that
  /// the result does not change.
  private static let pollInterval = 8192

  private let weights: UnsafePointer<Float>
  private let n, k: Int
  private let isTransposed: Bool
  /// Inputs that are packed at a time: all, unless a single panel does not fit into the scratch
  /// memory.
  private let depthStep: Int
  /// Panels that are packed at a time.
  private let group: Int

  init(_ weights: UnsafePointer<Float>, n: Int, k: Int, isTransposed: Bool) {
    (self.weights, self.n, self.k, self.isTransposed) = (weights, n, k, isTransposed)
    depthStep = min(k, Self.scratchBytes / (panelWidth * 4))
    group = min(panelCount(n), max(1, Self.scratchBytes / (k * panelWidth * 4)))
  }

  func checkMemory() throws(TensorError) {
    try Memory.requireBuffer(
      bytes: Team.shared.threads * group * depthStep * panelWidth * 4, for: "linear")
  }

  func multiply(
    _ x: UnsafePointer<Float>, rows: Range<Int>, panels: Range<Int>, into y: GradientBuffer
  ) {
    let scratch = Storage(count: min(group, panels.count) * depthStep * panelWidth)
    for first in stride(from: panels.lowerBound, to: panels.upperBound, by: group) {
      let some = first..<min(first + group, panels.upperBound)
      for depth in stride(from: 0, to: k, by: depthStep) {
        let count = min(depthStep, k - depth)
        let packed = scratch.pointer - first * count * panelWidth
        if isTransposed {
          packTransposed(weights + depth * n, rows: count, columns: n, panels: some, into: packed)
        } else {
          pack(weights + depth, rows: n, columns: count, stride: k, panels: some, into: packed)
        }
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.pollInterval) {
          if Interrupt.isRequested() { return }
          multiplyPacked(
            packed, n: n, k: count, panels: some, x: Factor(rows: x, k: k).from(depth),
            rows: first..<min(first + Self.pollInterval, rows.upperBound), y: y.pointer,
            adding: y.adds || depth > 0)
        }
      }
    }
  }
}

/// The least number of panels of depth k worth a thread, for a product with `rows` rows: about 3 µs
/// of work.
///
/// Reading a weight takes as long as ten multiply-adds.
func grain(rows: Int, k: Int, panels: Int = 1) -> Int {
  max(1, 300_000 / max(1, max(rows, 10) * k * panelWidth * panels))
}
