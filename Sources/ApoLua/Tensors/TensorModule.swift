// Functions of `apo` that create or combine tensors.

import Lua
import Tensors

private let sizes = Parameter(
  "sizes", shapeType, "the sizes, or one list of them; none for a scalar", variadic: true)
private let tensors = Parameter("tensors", .list(of: .object(Tensor.self)), "the tensors")
let tensorResult = [Returned(.object(Tensor.self), "a new tensor")]

/// The functions that need no random numbers.
let tensorFunctions: [Function] = [
  Function(
    "tensor", "Makes a tensor from a number or nested lists of numbers.",
    [
      Parameter(
        "data", .oneOf([.number(), .table, .object(Tensor.self)]),
        "a number, nested lists (of equal length at each level), or a tensor to copy")
    ],
    returns: tensorResult, example: "local m = apo.tensor{{1, 2}, {3, 4}}   -- shape {2, 2}"
  ) { call in
    if let tensor = call[1].ifObject(Tensor.self) {
      return try call.result(withoutGradients { try tensor.clone() })
    }
    return try call.result(tensor(of: call[1]))
  },
  Function("zeros", "Makes a tensor of zeros.", [sizes], returns: tensorResult) { call in
    try call.result(Tensor.zeros(call.shape(from: 1, for: "zeros")))
  },
  Function("ones", "Makes a tensor of ones.", [sizes], returns: tensorResult) { call in
    try call.result(Tensor.ones(call.shape(from: 1, for: "ones")))
  },
  Function(
    "full", "Makes a tensor filled with one value.",
    [
      Parameter("shape", shapeType, "the sizes, or one number for a one-dimensional tensor"),
      Parameter("value", .number(), "the value"),
    ], returns: tensorResult, example: "apo.full({2, 3}, 0.5)"
  ) { call in
    let shape = call[1].kind == .table ? try call[1].integers() : [try call[1].integer()]
    return try call.result(Tensor.full(shape, Float(call[2].number())))
  },
  Function(
    "arange", "Makes a tensor of the numbers from `start` up to, but excluding, `stop`.",
    [
      Parameter("start", .number(), "the first number; given alone, it is `stop`"),
      Parameter("stop", .number(), "where to end", optional: true),
      Parameter("step", .number(), "the distance; negative to count down", default: 1),
    ],
    returns: tensorResult, details: "As in PyTorch, `apo.arange(3)` is 0, 1, 2.",
    example: "apo.arange(1, 4):totable()   --> {1.0, 2.0, 3.0}"
  ) { call in
    let first = try call[1].number()
    let stop = try call[2].ifPresent?.number()
    return try call.result(
      Tensor.arange(stop == nil ? 0 : first, stop ?? first, call[3].number()))
  },
  Function(
    "cat", "Concatenates tensors along a dimension.",
    [
      tensors,
      Parameter(
        "dim", .integer(), "the dimension to join along, where the sizes may differ", default: 1),
    ],
    returns: tensorResult
  ) { call in
    let (tensors, dim) = try call.tensorsAndDimension(for: "cat")
    return try call.result(Tensor.cat(tensors, dim: dim))
  },
  Function(
    "stack", "Stacks tensors of the same shape along a new dimension.",
    [tensors, Parameter("dim", .integer(), "the position of the new dimension", default: 1)],
    returns: tensorResult
  ) { call in
    let (tensors, dim) = try call.tensorsAndDimension(for: "stack", extra: 1)
    return try call.result(Tensor.stack(tensors, dim: dim))
  },
  Function(
    "where", "Takes elements of `a` where the condition is not 0, and of `b` elsewhere.",
    [
      Parameter("condition", operandType, "the condition, such as `x:gt(0)`"),
      Parameter("a", operandType, "taken where the condition is not 0"),
      Parameter("b", operandType, "taken where it is 0"),
    ], returns: tensorResult, details: "All three are broadcast. The condition gets no gradient."
  ) { call in
    try call.result(call[1].operand().where(call[2].operand(), call[3].operand()))
  },
  pairwise("minimum", "Takes the elementwise minimum; NaN if either is NaN.") {
    try $0.minimum($1)
  },
  pairwise("maximum", "Takes the elementwise maximum; NaN if either is NaN.") {
    try $0.maximum($1)
  },
]

private func pairwise(
  _ name: String, _ summary: String, _ apply: @escaping (Tensor, Tensor) throws -> Tensor
) -> Function {
  Function(
    name, summary,
    [Parameter("a", operandType, "one side"), Parameter("b", operandType, "the other side")],
    returns: tensorResult, details: "Operands are broadcast. Equal elements share the gradient."
  ) { call in
    try call.result(apply(call[1].operand(), call[2].operand()))
  }
}

/// The functions that draw from the run's stream.
func randomFunctions(_ run: RunState) -> [Function] {
  [
    Function(
      "rand", "Makes a tensor of random numbers, uniform in [0, 1).", [sizes],
      returns: tensorResult
    ) { call in
      let shape = try call.shape(from: 1, for: "rand")
      let tensor = try Tensor.rand(shape, from: &run.stream)
      return try call.result(tensor)
    },
    Function(
      "randn", "Makes a tensor of random numbers from the standard normal distribution.", [sizes],
      returns: tensorResult
    ) { call in
      let shape = try call.shape(from: 1, for: "randn")
      let tensor = try Tensor.randn(shape, from: &run.stream)
      return try call.result(tensor)
    },
  ]
}

/// `apo.no_grad`.
let noGradFunction = Function(
  "no_grad", "Calls a function without recording operations for `backward`.",
  [
    Parameter("f", .function, "the function"),
    Parameter("arguments", .any, "its arguments", variadic: true),
  ],
  returns: [Returned(.any, "what the function returns")],
  details: "Saves memory and time when no gradient is needed. Errors pass through.",
  example: "local r = apo.no_grad(function() return model:logprobs(rollout) end)"
) { call in
  let arguments = try call.rest(from: 2).map { LuaValue.reference(try $0.reference()) }
  let function = try call[1].reference()
  let results = try withoutGradients {
    try call.state.callKeepingResults(function, arguments)
  }
  return try call.results(results.map { .reference($0) })
}

extension Call {
  fileprivate func tensorsAndDimension(
    for operation: String, extra: Int = 0
  ) throws -> ([Tensor], Int) {
    let tensors = try self[1].objects(Tensor.self)
    guard let first = tensors.first else {
      throw LuaError("\(operation): at least one tensor expected")
    }
    return (tensors, try self[2].dimension(of: first, for: operation, extra: extra) ?? 0)
  }
}

/// A tensor of a number or of nested lists.
private func tensor(of argument: Argument) throws -> Tensor {
  let data: NestedNumbers
  do {
    data = try argument.nestedNumbers()
  } catch let error as LuaError {
    throw LuaError("tensor: \(error.message)")
  }
  guard data.shape.count <= 64 else { throw LuaError("tensor: lists nested more than 64 deep") }
  return try Tensor.from(data.values, data.shape)
}
