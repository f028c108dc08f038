// Slices of a tensor, and in-place changes.

import Lua
import Tensors

/// Parts of a tensor.
let indexMethods: [Function] = [
  Function(
    "__index", "The part at a position of the first dimension.",
    [Parameter("position", .any, "from 1, or from -1 at the end")],
    returns: [Returned(.object(Tensor.self), "the part; nil at one past the end, for `ipairs`")]
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
    if position > 0, position - 1 == size { return try call.result(LuaValue.nil) }
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
        + "apo.stack, or use fill_, copy_ or add_ on a slice: t[i]:fill_(0)")
  },
  Function(
    "narrow", "Returns a range of positions along a dimension.",
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
    // One past the end is allowed for an empty slice.
    let limit = length == 0 ? size + 1 : size
    let start = try call[2].position(upTo: limit, for: "narrow")
    return try call.result(tensor.narrow(dim: dim, start: start, length: length))
  },
  Function(
    "gather", "Gathers elements along a dimension by position.",
    [
      Parameter("dim", .integer(), "the dimension"),
      Parameter(
        "index", .object(Tensor.self),
        "positions from 1, with as many dimensions as this tensor and the shape of the result"),
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

/// In-place changes.
let inPlaceMethods: [Function] = [
  inPlace("fill_", "Sets all elements.", [Parameter("value", .number(), "the value")]) {
    tensor, call in
    tensor.pointer.update(repeating: Float(try call[1].number()), count: tensor.count)
  },
  inPlace(
    "copy_", "Copies elements from another tensor or a number, broadcast.",
    [Parameter("from", operandType, "the source")]
  ) {
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
  inPlace("mul_", "Multiplies by a number.", [Parameter("factor", .number(), "the number")]) {
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
    details: "A tensor that requires a gradient can be changed only inside `apo.no_grad`."
  ) { call in
    let tensor = try call.this(Tensor.self)
    guard tensor.isParameter || !tensor.requiresGradient else {
      throw LuaError("\(name): the tensor is part of a graph; change a copy: t:detach():clone()")
    }
    guard !Tensor.records(tensor) else {
      throw LuaError(
        "\(name): the tensor requires a gradient; change it inside apo.no_grad(function() … end)"
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
