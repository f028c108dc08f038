import Kernels

// In decoding (`withPackedWeights`) a product's loop also does what surrounds it: with few rows, starting loops and waiting for
// the slowest thread takes as long as the products, and outputs are still in the cache of the thread that made them.

/// A linear map y = x Wᵀ + b.
public struct LinearMap {
  let weight: Weight
  let bias: Tensor?
  let isTransposed: Bool

  /// A weight [out, in], or [in, out] where `isTransposed`, and an optional bias [out].
  public init(_ weight: Weight, bias: Tensor?, isTransposed: Bool = false) {
    (self.weight, self.bias, self.isTransposed) = (weight, bias, isTransposed)
  }
}

/// A matrix whose panels can be multiplied one by one.
protocol PanelProduct {
  /// Outputs of the product.
  var n: Int { get }
  /// y = x Wᵀ for the outputs of some panels.
  func multiply(
    _ x: UnsafePointer<Float>, rows: Int, panels: Range<Int>, into y: UnsafeMutablePointer<Float>)
}

extension Tensor {
  /// Several linear maps of x [N, in], each with the bits of `linear`.
  public static func linears(_ x: Tensor, _ maps: [LinearMap]) throws(TensorError) -> [Tensor] {
    guard keepsPackedCopies, !records(x), !maps.contains(where: \.isRecorded) else {
      var results: [Tensor] = []
      for map in maps { results.append(try linear(x, map)) }
      return results
    }
    var parts: [Part] = []
    var panels = 0
    for map in maps {
      let part = try Part(map, of: x, first: panels)
      panels = part.panels.upperBound
      parts.append(part)
    }
    Team.shared.forEach(panels, atLeast: grain(rows: x.shape[0], k: x.shape[1])) { range in
      for part in parts { part.multiply(x, range) }
    }
    return parts.map(\.result)
  }

  /// A linear map of x [N, in] added to `residual` [N, out], with the bits of `linear` and `+`.
  public static func linear(
    _ x: Tensor, _ map: LinearMap, addedTo residual: Tensor
  ) throws(TensorError) -> Tensor {
    guard keepsPackedCopies, !records(x, residual), !map.isRecorded else {
      return try residual + linear(x, map)
    }
    let part = try Part(map, of: x, addedTo: residual)
    let panels = part.panels.count
    Team.shared.forEach(panels, atLeast: grain(rows: x.shape[0], k: x.shape[1])) {
      part.multiply(x, $0)
    }
    return part.result
  }

  /// silu(gate(x)) up(x) for two linear maps of x [N, in], with the bits of `linear` and `swiGLU`.
  public static func swiGLU(
    _ x: Tensor, gate: LinearMap, up: LinearMap
  ) throws(TensorError) -> Tensor {
    guard keepsPackedCopies, !records(x), !gate.isRecorded, !up.isRecorded else {
      return try swiGLU(linear(x, gate), linear(x, up))
    }
    let (gate, up) = (try Part(gate, of: x), try Part(up, of: x))
    guard gate.panels == up.panels, gate.result.shape == up.result.shape else {
      throw TensorError(
        "swiglu: equal shapes expected, got \(gate.result.shape) and \(up.result.shape)")
    }
    let panels = gate.panels.count
    Team.shared.forEach(panels, atLeast: grain(rows: x.shape[0], k: 2 * x.shape[1])) { range in
      gate.multiply(x, range)
      up.multiply(x, range)
      gate.forEachRow(range) { gate, columns in
        Kernels.swiGLU(gate, up.result.pointer + columns.lowerBound, into: gate, columns.count)
      }
    }
    return gate.result
  }

  private static func linear(_ x: Tensor, _ map: LinearMap) throws(TensorError) -> Tensor {
    try linear(x, map.weight, bias: map.bias, isTransposed: map.isTransposed)
  }
}

extension LinearMap {
  fileprivate var isRecorded: Bool {
    [weight.tensor, bias].contains { $0.map { Tensor.records($0) } ?? false }
  }
}

/// A map in a loop over panels.
private struct Part {
  /// Its panels' numbers in the loop.
  let panels: Range<Int>
  let result: Tensor
  private let matrix: any PanelProduct
  private let bias: Tensor?
  private let residual: Tensor?

  init(
    _ map: LinearMap, of x: Tensor, first: Int = 0, addedTo residual: Tensor? = nil
  ) throws(TensorError) {
    let (outputs, _) = try Tensor.checkLinear(x, map.weight.shape, map.bias, map.isTransposed)
    let shape = [x.shape[0], outputs]
    guard residual == nil || residual?.shape == shape else {
      throw TensorError("linear: \(shape) cannot be added to \(residual?.shape ?? [])")
    }
    result = try Tensor.result(shape, for: "linear")
    panels = first..<first + panelCount(outputs)
    matrix = try map.weight.panels(isTransposed: map.isTransposed)
    (bias, self.residual) = (map.bias, residual)
  }

  /// Computes its outputs in those of the loop's panels that are its own.
  func multiply(_ x: Tensor, _ range: Range<Int>) {
    let mine = range.clamped(to: panels)
    guard !mine.isEmpty else { return }
    matrix.multiply(
      x.pointer, rows: x.shape[0],
      panels: mine.lowerBound - panels.lowerBound..<mine.upperBound - panels.lowerBound,
      into: result.pointer)
    if let bias {
      forEachRow(mine) { Kernels.add(bias.pointer + $1.lowerBound % matrix.n, to: $0, $1.count) }
    }
    if let residual {
      forEachRow(mine) { Kernels.add(residual.pointer + $1.lowerBound, to: $0, $1.count) }
    }
  }

  /// Calls `body` with the outputs of the panels in each row, and their places in the result.
  @inline(__always)
  func forEachRow(
    _ range: Range<Int>, _ body: (UnsafeMutablePointer<Float>, _ places: Range<Int>) -> Void
  ) {
    let n = matrix.n
    let first = (range.lowerBound - panels.lowerBound) * panelWidth
    let end = min(n, (range.upperBound - panels.lowerBound) * panelWidth)
    for row in 0..<result.shape[0] {
      body(result.pointer + row * n + first, row * n + first..<row * n + end)
    }
  }
}
