import Kernels

// Linear maps fused with what surrounds them: several maps of one input, a residual connection,
// SwiGLU.
//
// In sampling, with few rows, starting loops and waiting for the slowest thread takes as long as
// the products, and outputs are still in the cache of the thread that made them. So one loop over
// the panels of packed weights does it all.

/// A linear map y = x Wᵀ + b.
public struct LinearMap {
  let weight: Weight
  let bias: Tensor?

  /// A weight and an optional bias [out].
  public init(_ weight: Weight, bias: Tensor?) { (self.weight, self.bias) = (weight, bias) }

  /// Panels of the packed weight, where products with `rows` rows can be fused: nothing is recorded
  /// for the map, and threads split the panels, not the rows.
  fileprivate func fusedPanels(rows: Int) -> (any PackedPanels)? {
    guard !weight.isRecorded, bias.map({ Tensor.records($0) }) != true, let panels = weight.panels,
      !Product.splitsRows(rows, panels: panelCount(panels.n))
    else { return nil }
    return panels
  }
}

extension Tensor {
  /// Several linear maps of x [N, in], each bit-identical to `linear`.
  public static func linears(_ x: Tensor, _ maps: [LinearMap]) throws(TensorError) -> [Tensor] {
    var fused: [FusedMap] = []
    var panels = 0
    for map in maps {
      guard let next = try FusedMap(map, of: x, first: panels) else {
        var results: [Tensor] = []
        for map in maps { results.append(try linear(x, map)) }
        return results
      }
      panels = next.panels.upperBound
      fused.append(next)
    }
    Team.shared.forEach(panels, atLeast: grain(rows: x.shape[0], k: x.shape[1])) { range in
      for map in fused { map.multiply(x, range) }
    }
    return fused.map(\.result)
  }

  /// A linear map of x [N, in] added to `residual` [N, out], bit-identical to `linear` and `+`.
  public static func linear(
    _ x: Tensor, _ map: LinearMap, addedTo residual: Tensor
  ) throws(TensorError) -> Tensor {
    guard !records(residual), let fused = try FusedMap(map, of: x, addedTo: residual) else {
      return try residual + linear(x, map)
    }
    let panels = fused.panels.count
    Team.shared.forEach(panels, atLeast: grain(rows: x.shape[0], k: x.shape[1])) {
      fused.multiply(x, $0)
    }
    return fused.result
  }

  /// silu(gate(x)) up(x) for two linear maps of x [N, in], bit-identical to `linear` and `swiGLU`.
  public static func swiGLU(
    _ x: Tensor, gate: LinearMap, up: LinearMap
  ) throws(TensorError) -> Tensor {
    guard let fusedGate = try FusedMap(gate, of: x), let fusedUp = try FusedMap(up, of: x),
      fusedGate.result.shape == fusedUp.result.shape
    else { return try swiGLU(linear(x, gate), linear(x, up)) }
    let panels = fusedGate.panels.count
    Team.shared.forEach(panels, atLeast: grain(rows: x.shape[0], k: 2 * x.shape[1])) { range in
      fusedGate.multiply(x, range)
      fusedUp.multiply(x, range)
      fusedGate.forEachRow(range) { gate, columns in
        Kernels.swiGLU(
          gate, fusedUp.result.pointer + columns.lowerBound, into: gate, columns.count)
      }
    }
    return fusedGate.result
  }

  private static func linear(_ x: Tensor, _ map: LinearMap) throws(TensorError) -> Tensor {
    try linear(x, map.weight, bias: map.bias)
  }
}

/// One of the linear maps that a loop over panels computes.
private struct FusedMap {
  /// Its panels in the loop.
  let panels: Range<Int>
  let result: Tensor
  private let matrix: any PackedPanels
  private let bias: Tensor?
  private let residual: Tensor?

  /// Nil where the map cannot be fused; throws where shapes do not fit.
  init?(
    _ map: LinearMap, of x: Tensor, first: Int = 0, addedTo residual: Tensor? = nil
  ) throws(TensorError) {
    guard x.shape.count == 2, !Tensor.records(x),
      let matrix = map.fusedPanels(rows: x.shape[0])
    else { return nil }
    let outputs = try Tensor.checkLinear(x, map.weight, map.bias)
    let shape = [x.shape[0], outputs]
    guard residual == nil || residual?.shape == shape else {
      throw .shapes(
        operation: "linear", expected: "a residual of shape \(shape)",
        given: [residual?.shape ?? []])
    }
    result = try Tensor.result(shape, for: "linear")
    panels = first..<first + panelCount(outputs)
    (self.matrix, bias, self.residual) = (matrix, map.bias, residual)
  }

  /// Computes the map's outputs for those of the loop's panels that belong to it.
  func multiply(_ x: Tensor, _ range: Range<Int>) {
    let mine = range.clamped(to: panels)
    guard !mine.isEmpty else { return }
    matrix.multiply(
      x.pointer, rows: 0..<x.shape[0],
      panels: mine.lowerBound - panels.lowerBound..<mine.upperBound - panels.lowerBound,
      into: GradientBuffer(result.pointer, adds: false))
    if let bias {
      forEachRow(mine) { Kernels.add(bias.pointer + $1.lowerBound % matrix.n, to: $0, $1.count) }
    }
    if let residual {
      forEachRow(mine) { Kernels.add(residual.pointer + $1.lowerBound, to: $0, $1.count) }
    }
  }

  /// Calls `body` for each row with the outputs of the panels and their columns in the result.
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
