import Kernels

extension Tensor {
  /// y = x Wᵀ + b for x [N, in], W [out, in] and an optional b [out]: PyTorch's `F.linear`.
  ///
  /// A row of y does not depend on the other rows (see `Product`). A bfloat16 weight passes the
  /// gradient on to x.
  public static func linear(
    _ x: Tensor, _ weight: Weight, bias: Tensor? = nil
  ) throws(TensorError) -> Tensor {
    let outputs = try checkLinear(x, weight, bias)
    let rows = x.shape[0]
    let y = try result([rows, outputs], for: "linear")
    try weight.product(isTrained: weight.isRecorded).multiply(
      x.pointer, rows: rows, into: GradientBuffer(y.pointer, adds: false))
    if let bias { addRow(bias, to: y) }
    let sources = [x] + [weight.tensor, bias].compactMap { $0 }
    guard records(sources) else { return y }
    let version = weight.tensor?.storage.version
    let biasIndex = bias == nil ? nil : sources.count - 1
    return recorded("linear", sources, y, style: .writing) {
      // A frozen weight has no gradient, and its input need not be kept for one.
      [
        x = weight.tensor?.requiresGradient == true ? x.detached() : nil,
        weight = weight.withoutTape
      ]
      dy, into in
      guard weight.tensor?.storage.version == version else {
        throw TensorError.changedInPlace(operation: "linear", .weight)
      }
      if let dx = into.buffer(0) { try weight.inputGradient(dy, rows: rows, into: dx) }
      if let x, let dw = into.buffer(1) { try weight.gradient(dy, x.pointer, rows: rows, into: dw) }
      if let biasIndex, let db = into.buffer(biasIndex) {
        try biasGradient(dy, rows: rows, width: outputs, into: db)
      }
    }
  }

  /// `linear` for a weight tensor, stored [out, in] or, where `isTransposed`, [in, out], as in
  /// GPT-2's `Conv1D`.
  public static func linear(
    _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, isTransposed: Bool = false
  ) throws(TensorError) -> Tensor {
    try linear(x, .float32(weight, isTransposed: isTransposed), bias: bias)
  }

  /// The number of outputs; throws unless the shapes of x, weight and bias fit.
  static func checkLinear(
    _ x: Tensor, _ weight: Weight, _ bias: Tensor?
  ) throws(TensorError) -> Int {
    let shape = weight.shape
    let inputDimension = weight.isTransposed ? 0 : 1
    guard x.shape.count == 2, shape.count == 2, x.shape[1] == shape[inputDimension] else {
      throw .shapes(
        operation: "linear",
        expected: "input [tokens, in] and weight "
          + (weight.isTransposed ? "[in, out]" : "[out, in]"), given: [x.shape, shape])
    }
    let outputs = shape[1 - inputDimension]
    if let bias, bias.shape != [outputs] {
      throw .shapes(
        operation: "linear", expected: "bias of shape [\(outputs)]", given: [bias.shape])
    }
    return outputs
  }

  private static func addRow(_ row: Tensor, to y: Tensor) {
    let width = row.count
    Team.shared.forEach(y.shape[0], atLeast: max(1, 65_536 / max(1, width))) { rows in
      for i in rows { Kernels.add(row.pointer, to: y.pointer + i * width, width) }
    }
  }
}

extension Weight {
  /// Whether products with it are recorded for its own gradient.
  var isRecorded: Bool {
    if let tensor { Tensor.records(tensor) } else { false }
  }
}
