import Kernels

// + - * / and powers, broadcast. Scalars are tensors without dimensions.

extension Tensor: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  /// A scalar: `try 2 * x`.
  public convenience init(floatLiteral value: Float) { self.init(value) }

  /// A scalar: `try 2 * x`.
  public convenience init(integerLiteral value: Int) { self.init(Float(value)) }
}

extension Tensor {
  /// a + b, broadcast.
  public static func + (a: Tensor, b: Tensor) throws(TensorError) -> Tensor {
    let (output, plan) = try zipped("add", a, b) { $0 + $1 }
    return sum("add", a, b, output, plan, sign: 1)
  }

  /// a - b, broadcast.
  public static func - (a: Tensor, b: Tensor) throws(TensorError) -> Tensor {
    let (output, plan) = try zipped("sub", a, b) { $0 - $1 }
    return sum("sub", a, b, output, plan, sign: -1)
  }

  /// Records a + sign b, whose gradient needs no values.
  private static func sum(
    _ name: String, _ a: Tensor, _ b: Tensor, _ output: Tensor, _ plan: Broadcast, sign: Float
  ) -> Tensor {
    guard records(a, b) else { return output }
    // The residual stream: its gradient is forwarded unchanged.
    let passes = a.shape == output.shape && b.shape == output.shape
    let count = output.count
    return recorded(name, [a, b], output, style: passes ? [.passing, .writing] : []) { g, into in
      if let target = into[0] { try plan.addReduced(g, .left, to: target) }
      guard let target = into[1] else { return }
      if into.isEmpty(1) {
        try forElements(count) {
          scale(sign, g + $0.lowerBound, into: target + $0.lowerBound, $0.count)
        }
      } else {
        try plan.addReduced(g, scale: sign, .right, to: target)
      }
    }
  }

  /// a b element by element, broadcast.
  public static func * (a: Tensor, b: Tensor) throws(TensorError) -> Tensor {
    try binary("mul", a, b, { $0 * $1 }, left: { g, _, b in g * b }, right: { g, a, _ in g * a })
  }

  /// a / b, broadcast.
  public static func / (a: Tensor, b: Tensor) throws(TensorError) -> Tensor {
    try binary(
      "div", a, b, { $0 / $1 },
      left: { g, _, b in g / b }, right: { g, a, b in -g * (a / b / b) })
  }

  /// -x.
  public static prefix func - (x: Tensor) throws(TensorError) -> Tensor {
    let output = try result(x.shape, for: "neg")
    let (source, target) = (x.pointer, output.pointer)
    try forElements(x.count) { range in
      scale(-1, source + range.lowerBound, into: target + range.lowerBound, range.count)
    }
    guard records(x) else { return output }
    let count = x.count
    return recorded("neg", [x], output) { g, into in
      guard let target = into[0] else { return }
      try forElements(count) { range in
        addScaled(-1, g + range.lowerBound, to: target + range.lowerBound, range.count)
      }
    }
  }

  /// self to the power of `exponent`, broadcast.
  ///
  /// As in PyTorch the gradient of x^0 is 0 for every x, and that of 0^y with respect to y is 0 for
  /// y ≥ 0.
  public func pow(_ exponent: Tensor) throws(TensorError) -> Tensor {
    if exponent.count == 1, exponent.shape.isEmpty, !exponent.requiresGradient,
      exponent.pointer[0] == 2
    {
      return try unary("pow", saving: .input, { $0 * $0 }, gradient: { g, x in g * (x + x) })
    }
    return try Tensor.binary(
      "pow", self, exponent, power,
      left: { g, x, y in (g * (y * power(x, y - 1))).replacing(with: 0, where: y .== 0) },
      right: { g, x, y in
        let flat = (x .== 0) .& (y .>= 0)
        return (g * (power(x, y) * logarithm(x))).replacing(with: 0, where: flat)
      })
  }

  /// The larger of a and b, broadcast; NaN where one is. Equal elements share the gradient.
  public func maximum(_ other: Tensor) throws(TensorError) -> Tensor {
    try Tensor.binary(
      "maximum", self, other,
      { a, b in a.replacing(with: b, where: (b .> a) .| (b .!= b)) },
      left: { g, a, b in share(g, losing: a .< b, equal: a .== b) },
      right: { g, a, b in share(g, losing: b .< a, equal: a .== b) })
  }

  /// The smaller of a and b, broadcast; NaN where one is. Equal elements share the gradient.
  public func minimum(_ other: Tensor) throws(TensorError) -> Tensor {
    try Tensor.binary(
      "minimum", self, other,
      { a, b in a.replacing(with: b, where: (b .< a) .| (b .!= b)) },
      left: { g, a, b in share(g, losing: a .> b, equal: a .== b) },
      right: { g, a, b in share(g, losing: b .> a, equal: a .== b) })
  }
}

/// The gradient for one side of a choice: none where it lost, half where both are equal.
@inline(__always)
private func share(
  _ g: Vector, losing: SIMDMask<Vector.MaskStorage>, equal: SIMDMask<Vector.MaskStorage>
) -> Vector {
  g.replacing(with: g * 0.5, where: equal).replacing(with: 0, where: losing)
}
