import Kernels

// Functions of one element, each with its derivative in terms of its input or its output.

extension Tensor {
  /// e to the power of each element.
  public func exp() throws(TensorError) -> Tensor {
    try unary("exp", saving: .output, { exponential($0) }, gradient: { g, y in g * y })
  }

  /// The natural logarithm of each element: -infinity at 0, NaN below.
  public func log() throws(TensorError) -> Tensor {
    try unary("log", saving: .input, { logarithm($0) }, gradient: { g, x in g / x })
  }

  /// The square root of each element; NaN below 0.
  public func sqrt() throws(TensorError) -> Tensor {
    try unary("sqrt", saving: .output, { $0.squareRoot() }, gradient: { g, y in g / (y + y) })
  }

  /// The hyperbolic tangent of each element.
  public func tanh() throws(TensorError) -> Tensor {
    try unary(
      "tanh", saving: .output, { hyperbolicTangent($0) }, gradient: { g, y in g * (1 - y * y) })
  }

  /// 1 / (1 + e^-x) of each element.
  public func sigmoid() throws(TensorError) -> Tensor {
    try unary(
      "sigmoid", saving: .output, { Kernels.sigmoid($0) }, gradient: { g, y in g * (y * (1 - y)) })
  }

  /// max(x, 0) of each element; the derivative at 0 is 0.
  public func relu() throws(TensorError) -> Tensor {
    try unary(
      "relu", saving: .output, { $0.replacing(with: 0, where: $0 .<= 0) },
      gradient: { g, y in g.replacing(with: 0, where: y .<= 0) })
  }

  /// x Φ(x) of each element, with the normal distribution function Φ.
  public func gelu() throws(TensorError) -> Tensor {
    try unary(
      "gelu", saving: .input, { Kernels.gelu($0) }, gradient: { g, x in g * geluDerivative(x) })
  }

  /// The approximation of `gelu` through tanh: x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2 of each
  /// element.
  public func geluTanh() throws(TensorError) -> Tensor {
    try unary(
      "gelu", saving: .input, { Kernels.geluTanh($0) },
      gradient: { g, x in g * geluTanhDerivative(x) })
  }

  /// |x| of each element; the derivative at 0 is 0.
  public func abs() throws(TensorError) -> Tensor {
    try unary(
      "abs", saving: .input, { $0.replacing(with: 0 - $0, where: $0 .<= 0) },
      gradient: { g, x in
        g.replacing(with: -g, where: x .< 0).replacing(with: 0, where: (x .== 0) .| (x .!= x))
      })
  }

  /// Each element moved into [min, max]; a bound that is nil does not bind. At the bounds the
  /// derivative is 1.
  ///
  /// As in PyTorch all elements become `max` where min > max. Throws if both bounds are nil.
  public func clamp(min: Float? = nil, max: Float? = nil) throws(TensorError) -> Tensor {
    guard min != nil || max != nil else {
      throw .clampWithoutBounds
    }
    let lower = min ?? -.infinity
    let upper = max ?? .infinity
    return try unary(
      "clamp", saving: .input,
      {
        let raised = $0.replacing(with: lower, where: $0 .< lower)
        return raised.replacing(with: upper, where: raised .> upper)
      },
      gradient: { g, x in g.replacing(with: 0, where: .!((x .>= lower) .& (x .<= upper))) })
  }

  /// The elements of `a` where self is not 0 and those of `b` elsewhere, broadcast. Self gets no
  /// gradient.
  public func `where`(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
    let shape = try Broadcast(shapes: a.shape, b.shape, for: "where").shape
    let common = try Broadcast(shapes: self.shape, shape, for: "where").shape
    let condition = try self.detached().expand(common)
    let mask = SavedValues(condition)
    let (left, right) = (try a.expand(common), try b.expand(common))
    let output = try Tensor.result(common, for: "where")
    try choose(condition.pointer, left.pointer, right.pointer, into: output.pointer, output.count)
    guard Tensor.records(a, b) else { return output }
    let count = output.count
    return .recorded("where", [left, right], output) { g, into in
      let mask = try mask.pointer(for: "where")
      for (target, wanted) in [(into[0], true), (into[1], false)] {
        guard let target else { continue }
        try forElements(count) { range in
          let mask = Row(mask + range.lowerBound)
          accumulate(
            g + range.lowerBound, mask, mask, into: target + range.lowerBound, range.count
          ) { g, mask, _ in
            let isZero = mask .== 0
            return g.replacing(with: 0, where: wanted ? isZero : .!isZero)
          }
        }
      }
    }
  }
}

private func choose(
  _ condition: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
  into y: UnsafeMutablePointer<Float>, _ count: Int
) throws(TensorError) {
  try forElements(count) { range in
    let start = range.lowerBound
    accumulate(
      condition + start, Row(a + start), Row(b + start), adding: false, into: y + start, range.count
    ) { condition, a, b in a.replacing(with: b, where: condition .== 0) }
  }
}
