// The class `apo.Tensor`: what it is, its size and contents, and its place in the graph.

import Core
import Lua
import Tensors

let tensorClass = Class(
  Tensor.self, "An array of 32-bit floats of any shape, with gradients.",
  details: """
    Operations return new tensors; methods whose names end in `_` change the tensor itself.
    Operands of different shapes are broadcast as in NumPy, and numbers can stand for tensors.
    Positions and dimensions count from 1, or from -1 at the end. `t[i]` is the i-th slice along
    the first dimension, and `#t` its size; `for i, slice in ipairs(t)` iterates over them.

    An operation is recorded if one of its operands requires a gradient; see `requires_grad_` and
    `backward`. `t:free()` or `local t <close>` frees memory before the garbage collector does.
    """,
  methods: sizeMethods + elementMethods + graphMethods + operators + functionMethods
    + comparisonMethods + reductionMethods + shapeMethods + indexMethods + inPlaceMethods,
  properties: [
    Property(
      "grad", .any, "The gradient accumulated by `backward`, or nil.",
      set: { call in
        let tensor = try call.this(Tensor.self)
        if call[1].isAbsent {
          tensor.clearGradient()
          return call.nothing
        }
        guard let gradient = call[1].ifObject(Tensor.self), gradient.shape == tensor.shape else {
          throw LuaError("grad: nil or a tensor of shape \(tensor.shape) expected")
        }
        guard tensor.isParameter else {
          throw LuaError("grad: the tensor does not require a gradient; see requires_grad_")
        }
        tensor.setGradient(try gradient.copied())
        return call.nothing
      },
      get: { call in
        guard let gradient = try call.this(Tensor.self).gradient else {
          return try call.result(LuaValue.nil)
        }
        return try call.result(gradient)
      }),
    Property(
      "requires_grad", .boolean, "Whether the tensor requires a gradient.",
      set: { call in
        try call.this(Tensor.self).setRequiresGradient(call[1].boolean())
        return call.nothing
      },
      get: { call in call.result(try call.this(Tensor.self).requiresGradient) }),
  ])

/// How large a tensor is.
private let sizeMethods = [
  Function(
    "shape", "Returns the sizes of all dimensions.",
    returns: [Returned(.list(of: .integer()), "the sizes, the outermost first")]
  ) { call in try call.result(call.this(Tensor.self).shape) },
  Function(
    "size", "Returns the size of a dimension.",
    [Parameter("dim", .integer(), "the dimension; default: all", optional: true)],
    returns: [Returned(.oneOf([.integer(), .list(of: .integer())]), "the size, or all sizes")]
  ) { call in
    let tensor = try call.this(Tensor.self)
    guard let dim = try call[1].dimension(of: tensor, for: "size") else {
      return try call.result(tensor.shape)
    }
    guard dim < tensor.shape.count else { throw LuaError("size: a scalar has no dimensions") }
    return call.result(tensor.shape[dim])
  },
  Function(
    "dim", "Returns the number of dimensions.", returns: [Returned(.integer(), "0 for a scalar")]
  ) { call in call.result(try call.this(Tensor.self).shape.count) },
  Function(
    "numel", "Returns the number of elements.", returns: [Returned(.integer(), "the number")]
  ) { call in call.result(try call.this(Tensor.self).count) },
  Function("__len", "The size of the first dimension.", returns: [Returned(.integer(), "the size")])
  { call in
    guard let size = try call.this(Tensor.self).shape.first else {
      throw LuaError("#: a scalar has no length")
    }
    return call.result(size)
  },
]

/// What a tensor holds.
private let elementMethods = [
  Function(
    "item", "Returns the only element as a number.", returns: [Returned(.number(), "the element")],
    details: "Raises an error if there are several."
  ) { call in call.result(Double(try call.this(Tensor.self).item())) },
  Function(
    "totable", "Returns the elements as nested lists.",
    returns: [Returned(.any, "lists nested once per dimension; a number for a scalar")]
  ) { call in
    let tensor = try call.this(Tensor.self)
    let lists = tensor.shape.dropLast().reduce(1, *)
    guard tensor.count > 0 || lists <= 1 << 20 else {
      throw LuaError(
        "totable: a tensor of shape \(tensor.shape) has no elements, but would give \(lists) "
          + "empty "
          + "lists; at most \(1 << 20) expected")
    }
    try Memory.checkBuffer(bytes: tensor.count * 20 + lists * 64, for: "totable")
    return try call.result(NestedNumbers(shape: tensor.shape, values: tensor.values))
  },
  Function(
    "__tostring", "The elements and the shape.", returns: [Returned(.string, "several lines")]
  ) { call in call.result(try call.this(Tensor.self).description) },
  Function(
    "__eq", "Whether both are the same tensor; `eq` compares elements.",
    [Parameter("a", .any, "one side"), Parameter("b", .any, "the other side")],
    returns: [Returned(.boolean, "the answer")]
  ) { call in
    guard let a = call[1].ifObject(Tensor.self), let b = call[2].ifObject(Tensor.self) else {
      return call.result(false)
    }
    return call.result(a === b)
  },
]

/// What belongs to differentiation.
private let graphMethods = [
  Function(
    "backward",
    "Accumulates the gradients of this tensor in `grad` of everything it was computed from.",
    [
      Parameter(
        "gradient", .oneOf([.object(Tensor.self), .options(backwardOptions)]),
        "the initial gradient, for a tensor with several elements; or the options", optional: true),
      Parameter("options", .options(backwardOptions), "see above", optional: true),
    ],
    details: """
      The graph is freed unless `retain_graph` is true. Gradients accumulate: `optimizer:step()`
      clears them, or set `t.grad = nil`. If an error, a time limit or Ctrl-C stops it midway,
      partial gradients remain: call `optimizer:zero_grad()` and recompute the loss.
      """,
    example: "((logp - target) ^ 2):mean():backward()"
  ) { call in
    let seed = call[1].ifObject(Tensor.self)
    let options = call[1].kind == .table ? try call[1].options() : try call[2].options()
    let retains = try options["retain_graph"].boolean()
    try call.this(Tensor.self).backward(seed: seed, retainGraph: retains)
    return call.nothing
  },
  Function(
    "requires_grad_", "Sets whether the tensor requires a gradient.",
    [Parameter("flag", .boolean, "whether it requires one", default: true)],
    returns: [Returned(.object(Tensor.self), "the tensor itself")]
  ) { call in
    try call.this(Tensor.self).setRequiresGradient(call[1].boolean())
    return try call.selfResult()
  },
  Function(
    "detach", "Returns the same elements, detached from the graph.",
    returns: [Returned(.object(Tensor.self), "a tensor that shares its memory with this one")]
  ) { call in try call.result(call.this(Tensor.self).detached()) },
  Function(
    "clone", "Copies the tensor; the gradient passes through.", returns: tensorResult
  ) { call in try call.result(call.this(Tensor.self).clone()) },
]

private let backwardOptions = [
  Parameter("retain_graph", .boolean, "keep the graph for another `backward`", default: false)
]
