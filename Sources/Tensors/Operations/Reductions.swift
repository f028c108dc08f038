import Core
import Glibc
import Kernels

// Sums, means and variances along one dimension, or over all elements where `dim` is nil.

extension Tensor {
  /// The sum over `dim`.
  public func sum(dim: Int? = nil, keepdim: Bool = false) throws(TensorError) -> Tensor {
    let view = try AxisView(self, along: dim, keepdim: keepdim, for: "sum")
    return try scaledSum("sum", view, scale: 1)
  }

  /// The mean over `dim`; NaN where there are no elements.
  public func mean(dim: Int? = nil, keepdim: Bool = false) throws(TensorError) -> Tensor {
    let view = try AxisView(self, along: dim, keepdim: keepdim, for: "mean")
    return try scaledSum("mean", view, scale: 1 / Double(view.n))
  }

  private func scaledSum(
    _ name: String, _ view: AxisView, scale: Double
  ) throws(TensorError) -> Tensor {
    let output = try Tensor.result(view.reduced, for: name)
    try sumMiddle(
      pointer, outer: view.outer, view.n, inner: view.inner, scale: scale, into: output.pointer)
    guard Tensor.records(self) else { return output }
    return .recorded(name, [self], output) { g, into in
      guard let target = into[0] else { return }
      try addRepeated(g, view, scale: Float(scale), to: target)
    }
  }

  /// The variance over `dim`, divided by n - 1 (`unbiased`, as PyTorch's default) or by n.
  public func `var`(
    dim: Int? = nil, keepdim: Bool = false, unbiased: Bool = true
  ) throws(TensorError) -> Tensor {
    let view = try AxisView(self, along: dim, keepdim: keepdim, for: "var")
    let centered = try self - mean(dim: dim, keepdim: true)
    let degrees = Double(max(0, view.n - (unbiased ? 1 : 0)))
    return try (centered * centered).scaledSum("var", view, scale: 1 / degrees)
  }

  /// The standard deviation over `dim`: the root of `var`. Where it is 0 its gradient is 0, as in
  /// PyTorch.
  public func std(
    dim: Int? = nil, keepdim: Bool = false, unbiased: Bool = true
  ) throws(TensorError) -> Tensor {
    try `var`(dim: dim, keepdim: keepdim, unbiased: unbiased).unary(
      "std", saving: .output, { $0.squareRoot() },
      gradient: { g, y in (g / (y + y)).replacing(with: 0, where: y .== 0) })
  }

  /// The sums of the elements up to and including each one along `dim`.
  public func cumsum(dim: Int) throws(TensorError) -> Tensor {
    let view = try AxisView(self, along: dim, for: "cumsum")
    let x = try asRows(view)
    let output = try Tensor.result(x.shape, for: "cumsum")
    let (source, target, n) = (x.pointer, output.pointer, view.n)
    try forRows(view.filledCount, of: n) { rows in
      for row in rows {
        var total = 0.0
        for start in stride(from: 0, to: n, by: Interrupt.interval) where !Interrupt.isRequested() {
          for i in row * n + start..<row * n + min(n, start + Interrupt.interval) {
            total += Double(source[i])
            target[i] = Float(total)
          }
        }
      }
    }
    try Interrupt.poll()
    guard Tensor.records(x) else { return try output.fromRows(view, shape: shape) }
    return try Tensor.recorded("cumsum", [x], output) { g, into in
      guard let target = into[0] else { return }
      for row in 0..<view.filledCount {
        var total = 0.0
        for i in (row * n..<(row + 1) * n).reversed() {
          if i % Interrupt.interval == 0 { try Interrupt.poll() }
          total += Double(g[i])
          target[i] += Float(total)
        }
      }
    }.fromRows(view, shape: shape)
  }
}

/// target[o, n, i] += scale g[o, i].
private func addRepeated(
  _ g: UnsafePointer<Float>, _ view: AxisView, scale: Float, to target: UnsafeMutablePointer<Float>
) throws(TensorError) {
  let (n, inner) = (view.n, view.inner)
  guard view.filledCount > 0 else { return }
  if inner != 1 {
    return try forRows(view.outer * n, of: inner) { rows in
      for row in rows { addScaled(scale, g + row / n * inner, to: target + row * inner, inner) }
    }
  }
  if view.outer == 1 {
    return try forElements(n) { range in
      let start = target + range.lowerBound
      map(start, into: start, range.count) { [value = g[0] * scale] in $0 + value }
    }
  }
  try forRows(view.outer, of: n) { rows in
    for row in rows {
      map(target + row * n, into: target + row * n, n) { [value = g[row] * scale] in $0 + value }
    }
  }
}
