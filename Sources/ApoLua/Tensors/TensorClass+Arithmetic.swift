// Operators, elementwise functions, comparisons.

import Lua
import Tensors

/// `+ - * / ^` and unary `-`.
let operators: [Function] = [
  binary("__add", "Adds, element by element.") { try $0 + $1 },
  binary("__sub", "Subtracts, element by element.") { try $0 - $1 },
  binary("__mul", "Multiplies element by element; `matmul` is the matrix product.") {
    try $0 * $1
  },
  binary("__div", "Divides, element by element.") { try $0 / $1 },
  binary("__pow", "Raises to a power, element by element.") { try $0.pow($1) },
  // Lua passes the operand of a unary operator twice.
  Function("__unm", "Negates each element.", returns: tensorResult) { call in
    try call.result(-call.this(Tensor.self))
  },
]

private func binary(
  _ name: String, _ summary: String, _ apply: @escaping (Tensor, Tensor) throws -> Tensor
) -> Function {
  Function(
    name, summary,
    [Parameter("a", operandType, "left side"), Parameter("b", operandType, "right side")],
    returns: tensorResult
  ) { call in
    try call.result(apply(call[1].operand(), call[2].operand()))
  }
}

/// Functions of each element, and of pairs of elements.
let functionMethods: [Function] =
  [
    unary("exp", "Raises e to the power of each element.") { try $0.exp() },
    unary("log", "Takes the natural logarithm: -inf at 0, NaN below.") { try $0.log() },
    unary("sqrt", "Takes the square root; NaN below 0.") { try $0.sqrt() },
    unary("tanh", "Takes the hyperbolic tangent.") { try $0.tanh() },
    unary("sigmoid", "Computes 1 / (1 + e^-x).") { try $0.sigmoid() },
    unary("relu", "Computes max(x, 0); the derivative at 0 is 0.") { try $0.relu() },
    unary("abs", "Computes absolute values; the derivative at 0 is 0.") { try $0.abs() },
    with("pow", "Raises each element to a power.") { try $0.pow($1) },
    with("minimum", "Takes the elementwise minimum; NaN if either is NaN.") { try $0.minimum($1) },
    with("maximum", "Takes the elementwise maximum; NaN if either is NaN.") { try $0.maximum($1) },
    Function(
      "clamp", "Clamps each element to a range.",
      [
        Parameter("min", .number(), "the lower bound; nil for none", optional: true),
        Parameter("max", .number(), "the upper bound; nil for none", optional: true),
      ],
      returns: tensorResult, details: "The derivative is 1 inside and at the ends, 0 outside.",
      example: "ratio:clamp(0.8, 1.2)"
    ) { call in
      let low = try call[1].ifPresent?.number()
      let high = try call[2].ifPresent?.number()
      return try call.result(
        call.this(Tensor.self).clamp(min: low.map { Float($0) }, max: high.map { Float($0) }))
    },
    Function(
      "where", "Takes elements of `a` where this tensor is not 0, and of `b` elsewhere.",
      [
        Parameter("a", operandType, "taken where it is not 0"),
        Parameter("b", operandType, "taken where it is 0"),
      ], returns: tensorResult
    ) { call in
      try call.result(call.this(Tensor.self).where(call[1].operand(), call[2].operand()))
    },
    Function(
      "matmul", "Multiplies matrices.",
      [Parameter("other", .object(Tensor.self), "the right side")],
      returns: tensorResult,
      details: """
        The last two dimensions are matrices; leading dimensions are broadcast. A one-dimensional
        tensor is a row on the left side and a column on the right.
        """
    ) { call in try call.result(call.this(Tensor.self).matmul(call[1].object(Tensor.self))) },
  ]

/// 1 where a comparison holds, else 0.
let comparisonMethods: [Function] = [
  with("eq", "Returns 1 where the elements are equal, else 0.") { try $0.eq($1) },
  with("ne", "Returns 1 where the elements differ, else 0.") { try $0.ne($1) },
  with("gt", "Returns 1 where this element is greater, else 0.") { try $0.gt($1) },
  with("lt", "Returns 1 where this element is less, else 0.") { try $0.lt($1) },
  with("ge", "Returns 1 where this element is greater or equal, else 0.") { try $0.ge($1) },
  with("le", "Returns 1 where this element is less or equal, else 0.") { try $0.le($1) },
]

private func unary(
  _ name: String, _ summary: String, _ apply: @escaping (Tensor) throws -> Tensor
) -> Function {
  Function(name, summary, returns: tensorResult) { call in
    try call.result(apply(call.this(Tensor.self)))
  }
}

/// A method with another tensor or a number.
private func with(
  _ name: String, _ summary: String, _ apply: @escaping (Tensor, Tensor) throws -> Tensor
) -> Function {
  Function(
    name, summary, [Parameter("other", operandType, "the other side, broadcast")],
    returns: tensorResult
  ) { call in
    try call.result(apply(call.this(Tensor.self), call[1].operand()))
  }
}
