import Kernels

/// A linear map y = x Wᵀ + b of several that meet the same x, as queries, keys and values do.
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
  ///
  /// In decoding (`withPackedWeights`) one parallel loop takes the panels of all of them and adds the biases: with few rows,
  /// starting loops and waiting for the slowest thread takes as long as the products.
  public static func linears(_ x: Tensor, _ maps: [LinearMap]) throws(TensorError) -> [Tensor] {
    guard keepsPackedCopies, !records(x), !maps.contains(where: \.isRecorded) else {
      var results: [Tensor] = []
      for map in maps {
        results.append(
          try linear(x, map.weight, bias: map.bias, isTransposed: map.isTransposed))
      }
      return results
    }
    let rows = x.shape[0]
    var parts: [Part] = []
    var panels = 0
    for map in maps {
      let (outputs, _) = try checkLinear(x, map.weight.shape, map.bias, map.isTransposed)
      let part = Part(
        matrix: try map.weight.panels(isTransposed: map.isTransposed), bias: map.bias,
        result: try result([rows, outputs], for: "linear"), first: panels)
      panels += panelCount(outputs)
      parts.append(part)
    }
    Team.shared.forEach(panels, atLeast: grain(rows: rows, k: x.shape[1])) { range in
      for part in parts { part.multiply(x.pointer, rows: rows, range) }
    }
    return parts.map(\.result)
  }
}

extension LinearMap {
  fileprivate var isRecorded: Bool {
    [weight.tensor, bias].contains { $0.map { Tensor.records($0) } ?? false }
  }
}

/// One of the maps in a joint loop: its panels are counted on from `first`.
private struct Part {
  let matrix: any PanelProduct
  let bias: Tensor?
  let result: Tensor
  let first: Int

  func multiply(_ x: UnsafePointer<Float>, rows: Int, _ range: Range<Int>) {
    let n = matrix.n
    let mine = range.clamped(to: first..<first + panelCount(n))
    guard !mine.isEmpty else { return }
    let panels = mine.lowerBound - first..<mine.upperBound - first
    matrix.multiply(x, rows: rows, panels: panels, into: result.pointer)
    guard let bias else { return }
    let columns = panels.lowerBound * panelWidth..<min(n, panels.upperBound * panelWidth)
    for row in 0..<rows {
      Kernels.add(
        bias.pointer + columns.lowerBound, to: result.pointer + row * n + columns.lowerBound,
        columns.count)
    }
  }
}
