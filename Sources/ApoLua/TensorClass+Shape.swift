// Reductions, changes of shape, parts, and changes in place.

import Lua
import Tensors

private let optionalDimension = Parameter(
  "dim", .integer(), "the dimension; all elements without it", optional: true)
private let keepdim = Parameter(
  "keepdim", .boolean, "keep the dimension, with size 1", default: false)

/// Sums and the like, over a dimension or over all elements.
let reductionMethods: [Function] = [
  reduction("sum", "Sums.") { try $0.sum(dim: $1, keepdim: $2) },
  reduction("mean", "Averages; NaN where there are no elements.") {
    try $0.mean(dim: $1, keepdim: $2)
  },
  reduction("max", "Takes the largest element; NaN where there is one.") {
    try $0.maximum(dim: $1, keepdim: $2)
  },
  reduction("min", "Takes the smallest element; NaN where there is one.") {
    try $0.minimum(dim: $1, keepdim: $2)
  },
  reduction(
    "argmax", "Finds the position of the largest element, the first of several.",
    details: "Positions count from 1: subtract 1 where they stand for token ids."
  ) { try positions($0.argmax(dim: $1, keepdim: $2)) },
  reduction(
    "argmin", "Finds the position of the smallest element, the first of several.",
    details: "Positions count from 1."
  ) { try positions($0.argmin(dim: $1, keepdim: $2)) },
  reduction("logsumexp", "Computes ln Σ e^x without overflow.") {
    try $0.logsumexp(dim: $1, keepdim: $2)
  },
  spread("var", "Computes the variance.") { try $0.var(dim: $1, keepdim: $2, unbiased: $3) },
  spread("std", "Computes the standard deviation.") {
    try $0.std(dim: $1, keepdim: $2, unbiased: $3)
  },
  along("softmax", "Computes e^x / Σ e^x.") { try $0.softmax(dim: $1) },
  along("log_softmax", "Computes x - ln Σ e^x.") { try $0.logSoftmax(dim: $1) },
  Function(
    "cumsum", "Sums the elements up to and including each one.",
    [Parameter("dim", .integer(), "the dimension")], returns: tensorResult
  ) { call in
    let tensor = try call.this(Tensor.self)
    return try call.result(
      tensor.cumsum(dim: call[1].dimension(of: tensor, for: "cumsum") ?? 0))
  },
]

/// Positions of the engine as scripts count them.
private func positions(_ tensor: Tensor) throws -> Tensor { try tensor + 1 }

private func reduction(
  _ name: String, _ summary: String, details: String = "",
  _ apply: @escaping (Tensor, Int?, Bool) throws -> Tensor
) -> Function {
  Function(
    name, summary, [optionalDimension, keepdim], returns: tensorResult, details: details
  ) { call in
    let tensor = try call.this(Tensor.self)
    let dim = try call[1].dimension(of: tensor, for: name)
    return try call.result(apply(tensor, dim, call[2].boolean()))
  }
}

private func spread(
  _ name: String, _ summary: String,
  _ apply: @escaping (Tensor, Int?, Bool, Bool) throws -> Tensor
) -> Function {
  let unbiased = Parameter(
    "unbiased", .boolean, "divide by one less than the number of elements", default: true)
  return Function(
    name, summary, [optionalDimension, keepdim, unbiased], returns: tensorResult
  ) { call in
    let tensor = try call.this(Tensor.self)
    let dim = try call[1].dimension(of: tensor, for: name)
    return try call.result(apply(tensor, dim, call[2].boolean(), call[3].boolean()))
  }
}

private func along(
  _ name: String, _ summary: String, _ apply: @escaping (Tensor, Int?) throws -> Tensor
) -> Function {
  Function(name, summary, [optionalDimension], returns: tensorResult) { call in
    let tensor = try call.this(Tensor.self)
    return try call.result(apply(tensor, call[1].dimension(of: tensor, for: name)))
  }
}

/// The same elements in another shape.
let shapeMethods: [Function] = [
  Function(
    "reshape", "Gives the elements another shape.",
    [Parameter("sizes", shapeType, "the sizes, or a list; one may be -1", variadic: true)],
    returns: [Returned(.object(Tensor.self), "a tensor that shares its memory with this one")],
    example: "apo.arange(6):reshape(2, -1)   -- shape {2, 3}"
  ) { call in
    try call.result(call.this(Tensor.self).reshape(call.shape(from: 1, for: "reshape")))
  },
  Function(
    "transpose", "Exchanges two dimensions, the last two by default.",
    [
      Parameter("dim1", .integer(), "one dimension", default: -2),
      Parameter("dim2", .integer(), "the other one", default: -1),
    ], returns: tensorResult
  ) { call in
    let tensor = try call.this(Tensor.self)
    let first = try call[1].dimension(of: tensor, for: "transpose") ?? 0
    let second = try call[2].dimension(of: tensor, for: "transpose") ?? 0
    return try call.result(tensor.transpose(first, second))
  },
  Function(
    "expand", "Repeats dimensions of size 1 to reach a shape.",
    [Parameter("sizes", shapeType, "the sizes, or a list; -1 keeps a size", variadic: true)],
    returns: tensorResult
  ) { call in
    try call.result(call.this(Tensor.self).expand(call.shape(from: 1, for: "expand")))
  },
  Function(
    "squeeze", "Removes a dimension of size 1, or all of them.",
    [Parameter("dim", .integer(), "the dimension; all without it", optional: true)],
    returns: tensorResult
  ) { call in
    let tensor = try call.this(Tensor.self)
    return try call.result(tensor.squeeze(dim: call[1].dimension(of: tensor, for: "squeeze")))
  },
  Function(
    "unsqueeze", "Inserts a dimension of size 1.",
    [Parameter("dim", .integer(), "the number of the new dimension")], returns: tensorResult
  ) { call in
    let tensor = try call.this(Tensor.self)
    let dim = try call[1].dimension(of: tensor, for: "unsqueeze", extra: 1) ?? 0
    return try call.result(tensor.unsqueeze(dim: dim))
  },
]

/// Parts of a tensor.
let indexMethods: [Function] = [
  Function(
    "__index", "The part at a position of the first dimension.",
    [Parameter("position", .any, "from 1, or from -1 at the end")], returns: tensorResult
  ) { call in
    let tensor = try call.this(Tensor.self)
    guard call[1].kind == .number else {
      throw LuaError("index: a position expected, got \(call[1].typeName)")
    }
    guard let size = tensor.shape.first else {
      throw LuaError("index: a scalar has no elements to choose from; item() gives its value")
    }
    guard let position = try? call[1].integer() else {
      throw LuaError("index: a whole number expected, got \(try call[1].number())")
    }
    guard position >= 1 && position <= size || position <= -1 && position >= -size else {
      throw LuaError(
        "index: position \(position) is outside of 1..\(size) for shape \(tensor.shape)")
    }
    return try call.result(tensor.select(position > 0 ? position - 1 : position + size))
  },
  Function(
    "__newindex", "Raises an error: elements cannot be assigned.",
    [Parameter("position", .any, "a position"), Parameter("value", .any, "a value")]
  ) { _ in
    throw LuaError(
      "apo.Tensor: elements cannot be assigned; make a new tensor with apo.where, apo.cat or "
        + "apo.stack, or use fill_, copy_ or add_ on a part: t[i]:fill_(0)")
  },
  Function(
    "narrow", "Gives some positions of a dimension.",
    [
      Parameter("dim", .integer(), "the dimension"),
      Parameter("start", .integer(), "the first position, from 1, or from -1 at the end"),
      Parameter("length", .integer(minimum: 0), "how many positions"),
    ], returns: tensorResult, example: "t:narrow(1, 3, 2)   -- positions 3 and 4"
  ) { call in
    let tensor = try call.this(Tensor.self)
    let dim = try call[1].dimension(of: tensor, for: "narrow") ?? 0
    guard dim < tensor.shape.count else { throw LuaError("narrow: a scalar has no positions") }
    let (size, length) = (tensor.shape[dim], try call[3].integer())
    // One past the end is allowed for nothing.
    let limit = length == 0 ? size + 1 : size
    let start = try call[2].position(upTo: limit, for: "narrow")
    return try call.result(tensor.narrow(dim: dim, start: start, length: length))
  },
  Function(
    "gather", "Chooses elements along a dimension by their positions.",
    [
      Parameter("dim", .integer(), "the dimension"),
      Parameter(
        "index", .object(Tensor.self),
        "positions from 1; as many dimensions as this tensor, of the shape of the result"),
    ],
    returns: tensorResult,
    details: """
      For two dimensions and `dim` 2: `result[i][j] = self[i][index[i][j]]`. Token ids count from
      0: `logits:gather(2, ids + 1)`.
      """
  ) { call in
    let tensor = try call.this(Tensor.self)
    let dim = try call[1].dimension(of: tensor, for: "gather") ?? 0
    let index = try call[2].object(Tensor.self)
    let positions = try withoutGradients { try index - 1 }
    return try call.result(tensor.gather(dim: dim, index: positions))
  },
]

/// Changes of the tensor itself.
let inPlaceMethods: [Function] = [
  inPlace("fill_", "Sets all elements.", [Parameter("value", .number(), "the value")]) {
    tensor, call in
    tensor.pointer.update(repeating: Float(try call[1].number()), count: tensor.count)
  },
  inPlace("copy_", "Takes over elements, broadcast.", [Parameter("from", operandType, "whose")]) {
    tensor, call in
    let source = try call[1].operand().expanded(to: tensor.shape, for: "copy_")
    tensor.pointer.update(from: source.pointer, count: tensor.count)
  },
  inPlace(
    "add_", "Adds `alpha` times another tensor or a number, broadcast.",
    [
      Parameter("other", operandType, "what to add"),
      Parameter("alpha", .number(), "its factor", default: 1),
    ]
  ) { tensor, call in
    let other = try call[1].operand().expanded(to: tensor.shape, for: "add_")
    let alpha = Tensor(Float(try call[2].number()))
    let sum = try withoutGradients { try tensor + other * alpha }
    tensor.pointer.update(from: sum.pointer, count: tensor.count)
  },
  inPlace("mul_", "Multiplies with a number.", [Parameter("factor", .number(), "the number")]) {
    tensor, call in
    let factor = Tensor(Float(try call[1].number()))
    let product = try withoutGradients { try tensor * factor }
    tensor.pointer.update(from: product.pointer, count: tensor.count)
  },
]

private func inPlace(
  _ name: String, _ summary: String, _ parameters: [Parameter],
  _ apply: @escaping (Tensor, Call) throws -> Void
) -> Function {
  Function(
    name, summary, parameters, returns: [Returned(.object(Tensor.self), "the tensor itself")],
    details: "A tensor that requires a gradient is changed inside of `apo.no_grad` only."
  ) { call in
    let tensor = try call.this(Tensor.self)
    guard tensor.isParameter || !tensor.requiresGradient else {
      throw LuaError("\(name): the tensor is part of a graph; change a copy: t:detach():clone()")
    }
    guard !Tensor.records(tensor) else {
      throw LuaError(
        "\(name): the tensor requires a gradient; change it inside of apo.no_grad(function() … end)"
      )
    }
    try apply(tensor, call)
    tensor.storage.didChange()
    return try call.selfResult()
  }
}

extension Tensor {
  fileprivate func expanded(to shape: [Int], for operation: String) throws -> Tensor {
    if self.shape == shape { return self }
    do {
      return try withoutGradients { try expand(shape) }
    } catch {
      throw LuaError("\(operation): shape \(self.shape) does not broadcast to \(shape)")
    }
  }
}
