import Glibc
import Kernels

// logsumexp, softmax and log_softmax along one dimension, or over all elements where `dim` is nil.
// The largest element is subtracted first, so nothing overflows.

extension Tensor {
  /// ln Σ e^x over `dim`; its gradient is the softmax.
  public func logsumexp(dim: Int? = nil, keepdim: Bool = false) throws(TensorError) -> Tensor {
    let view = try AxisView(self, along: dim, keepdim: keepdim, for: "logsumexp")
    let rows = try asRows(view)
    let output = try Tensor.result(view.reduced, for: "logsumexp")
    let (x, y, n) = (rows.pointer, output.pointer, view.n)
    try forRows(view.count, of: n) { range in
      for row in range {
        let (shift, rest) = Tensors.logsumexp(x + row * n, n)
        y[row] = Float(Double(shift) + rest)
      }
    }
    guard Tensor.records(rows) else { return output }
    let (input, result) = (SavedValues(rows), SavedValues(output))
    return .recorded("logsumexp", [rows], output) { g, into in
      guard let target = into[0] else { return }
      let x = try input.pointer(for: "logsumexp")
      let y = try result.pointer(for: "logsumexp")
      try forRows(view.count, of: n) { range in
        for row in range { addSoftmax(x + row * n, y[row], times: g[row], to: target + row * n, n) }
      }
    }
  }

  /// e^x / Σ e^x over `dim`.
  public func softmax(dim: Int? = nil) throws(TensorError) -> Tensor {
    let view = try AxisView(self, along: dim, for: "softmax")
    return try overRows("softmax", view) { x, y, n in
      let total = longExponential(x, minus: Kernels.maximum(x, n), into: y, n)
      scale(Float(1 / total), y, into: y, n)
    } gradient: { g, y, target, n in
      // dx = y (g - Σ g y)
      let mean = Float(longDot(g, y, n))
      accumulate(g, Row(y), Row(y), into: target, n) { g, y, _ in y * (g - mean) }
    }
  }

  /// x - ln Σ e^x over `dim`.
  public func logSoftmax(dim: Int? = nil) throws(TensorError) -> Tensor {
    let view = try AxisView(self, along: dim, for: "log_softmax")
    return try overRows("log_softmax", view) { x, y, n in
      let (shift, total) = Tensors.logsumexp(x, n)
      let rest = Float(total)
      map(x, into: y, n) { ($0 - shift) - rest }
    } gradient: { g, y, target, n in
      // dx = g - e^y Σ g
      let total = Float(longSum(g, n))
      accumulate(g, Row(y), Row(y), into: target, n) { g, y, _ in g - exponential(y) * total }
    }
  }

  /// An operation from rows of n to rows of n, whose gradient is written in terms of its output.
  private func overRows(
    _ name: String, _ view: AxisView,
    _ value: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void,
    gradient:
      @escaping (
        _ g: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
        _ target: UnsafeMutablePointer<Float>, _ n: Int
      ) -> Void
  ) throws(TensorError) -> Tensor {
    let rows = try asRows(view)
    let output = try Tensor.result(rows.shape, for: name)
    let (x, y, n) = (rows.pointer, output.pointer, view.n)
    try forRows(view.filledCount, of: n) { for row in $0 { value(x + row * n, y + row * n, n) } }
    guard Tensor.records(rows) else { return try output.fromRows(view, shape: shape) }
    let saved = SavedValues(output)
    return try Tensor.recorded(name, [rows], output) { g, into in
      guard let target = into[0] else { return }
      let y = try saved.pointer(for: name)
      try forRows(view.filledCount, of: n) { range in
        for start in range.lazy.map({ $0 * n }) {
          gradient(g + start, y + start, target + start, n)
        }
      }
    }.fromRows(view, shape: shape)
  }
}

/// ln Σ e^x of one row as the sum of its maximum, if that is finite, and the rest; -infinity for an
/// empty one.
func logsumexp(_ x: UnsafePointer<Float>, _ count: Int) -> (shift: Float, rest: Double) {
  let largest = maximum(x, count)
  let shift = largest.isFinite ? largest : 0
  return (shift, log(longExponential(x, minus: shift, into: nil, count)))
}

/// target += g e^(x - y) with y = logsumexp x.
private func addSoftmax(
  _ x: UnsafePointer<Float>, _ y: Float, times g: Float, to target: UnsafeMutablePointer<Float>,
  _ count: Int
) {
  accumulate(x, Row(x), Row(x), into: target, count) { x, _, _ in exponential(x - y) * g }
}
