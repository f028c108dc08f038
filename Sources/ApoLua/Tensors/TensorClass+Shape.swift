// Reductions and changes of shape.

import Lua
import Tensors

private let optionalDimension = Parameter(
  "dim", .integer(), "the dimension; default: all elements", optional: true)
private let keepdim = Parameter(
  "keepdim", .boolean, "keep the dimension, with size 1", default: false)

/// Reductions over a dimension or all elements.
let reductionMethods: [Function] = [
  reduction("sum", "Sums elements.") { try $0.sum(dim: $1, keepdim: $2) },
  reduction("mean", "Averages; NaN if there are no elements.") {
    try $0.mean(dim: $1, keepdim: $2)
  },
  reduction("max", "Takes the largest element; NaN if there is one.") {
    try $0.maximum(dim: $1, keepdim: $2)
  },
  reduction("min", "Takes the smallest element; NaN if there is one.") {
    try $0.minimum(dim: $1, keepdim: $2)
  },
  reduction(
    "argmax", "Finds the position of the largest element; the first one on ties.",
    details: "Positions count from 1: subtract 1 to get token ids."
  ) { try positions($0.argmax(dim: $1, keepdim: $2)) },
  reduction(
    "argmin", "Finds the position of the smallest element; the first one on ties.",
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
    "cumsum", "Computes the cumulative sum along a dimension.",
    [Parameter("dim", .integer(), "the dimension")], returns: tensorResult
  ) { call in
    let tensor = try call.this(Tensor.self)
    return try call.result(
      tensor.cumsum(dim: call[1].dimension(of: tensor, for: "cumsum") ?? 0))
  },
]

/// 0-based positions as scripts count them.
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
    "unbiased", .boolean, "divide by the number of elements minus 1", default: true)
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
    "reshape", "Returns the elements in another shape.",
    [Parameter("sizes", shapeType, "the sizes, or a list; one may be -1", variadic: true)],
    returns: [Returned(.object(Tensor.self), "a tensor that shares its memory with this one")],
    example: "apo.arange(6):reshape(2, -1)   -- shape {2, 3}"
  ) { call in
    try call.result(call.this(Tensor.self).reshape(call.shape(from: 1, for: "reshape")))
  },
  Function(
    "transpose", "Swaps two dimensions, the last two by default.",
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
    [Parameter("dim", .integer(), "the dimension; default: all", optional: true)],
    returns: tensorResult
  ) { call in
    let tensor = try call.this(Tensor.self)
    return try call.result(tensor.squeeze(dim: call[1].dimension(of: tensor, for: "squeeze")))
  },
  Function(
    "unsqueeze", "Inserts a dimension of size 1.",
    [Parameter("dim", .integer(), "the position of the new dimension")], returns: tensorResult
  ) { call in
    let tensor = try call.this(Tensor.self)
    let dim = try call[1].dimension(of: tensor, for: "unsqueeze", extra: 1) ?? 0
    return try call.result(tensor.unsqueeze(dim: dim))
  },
]
