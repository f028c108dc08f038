import Kernels

extension Tensor {
  /// y = x Wᵀ + b for x [N, in], W [out, in] and an optional b [out]: PyTorch's `F.linear`.
  ///
  /// Where `isTransposed`, the weight is stored [in, out], as in GPT-2's `Conv1D`.
  /// The product runs on packed weights with one order of summation, so a row of y does not depend on the other rows.
  public static func linear(
    _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, isTransposed: Bool = false
  ) throws(TensorError) -> Tensor {
    let (outputs, inputs) = try checkLinear(x, weight.shape, bias, isTransposed)
    let rows = x.shape[0]
    let y = try result([rows, outputs], for: "linear")
    try weight.multiply(
      x.pointer, rows: rows, isTransposed: isTransposed, isTrained: records(weight),
      into: y.pointer)
    if let bias { addRow(bias, to: y) }
    guard records(x, weight) || bias.map({ records($0) }) == true else { return y }
    let sources = [x, weight] + (bias.map { [$0] } ?? [])
    let version = weight.storage.version
    return recorded("linear", sources, y, style: .writing) {
      // A frozen weight has no gradient, and its input need not be kept for one.
      [
        x = weight.requiresGradient ? x.detached() : nil, weight = weight.detached(),
        hasBias = bias != nil
      ] dy, into in
      guard weight.storage.version == version else {
        throw TensorError("backward: the weight of 'linear' was changed in place after it was used")
      }
      if let dx = into.buffer(0) {
        try inputGradient(
          dy, rows: rows, weight: weight.pointer, n: outputs, k: inputs, isTransposed: isTransposed,
          into: dx)
      }
      if let x, let dw = into.buffer(1), isTransposed {
        try weightGradient(x.pointer, dy, rows: rows, n: inputs, k: outputs, into: dw)
      } else if let x, let dw = into.buffer(1) {
        try weightGradient(dy, x.pointer, rows: rows, n: outputs, k: inputs, into: dw)
      }
      if hasBias, let db = into.buffer(2) {
        try biasGradient(dy, rows: rows, width: outputs, into: db)
      }
    }
  }

  /// `linear` for a weight of either kind; one that is held as bfloat16 passes the gradient on to x.
  public static func linear(
    _ x: Tensor, _ weight: Weight, bias: Tensor? = nil, isTransposed: Bool = false
  ) throws(TensorError) -> Tensor {
    switch weight {
    case .float32(let tensor):
      return try linear(x, tensor, bias: bias, isTransposed: isTransposed)
    case .bfloat16(let matrix):
      let (outputs, _) = try checkLinear(x, matrix.shape, bias, matrix.isTransposed)
      let rows = x.shape[0]
      let y = try result([rows, outputs], for: "linear")
      matrix.multiply(x.pointer, rows: rows, into: y.pointer)
      if let bias { addRow(bias, to: y) }
      guard records(x) || bias.map({ records($0) }) == true else { return y }
      return recorded("linear", [x] + (bias.map { [$0] } ?? []), y, style: .writing) {
        [hasBias = bias != nil] dy, into in
        if let dx = into.buffer(0) { try matrix.inputGradient(dy, rows: rows, into: dx) }
        guard hasBias, let db = into.buffer(1) else { return }
        try biasGradient(dy, rows: rows, width: outputs, into: db)
      }
    }
  }

  static func checkLinear(
    _ x: Tensor, _ weight: [Int], _ bias: Tensor?, _ isTransposed: Bool
  ) throws(TensorError) -> (outputs: Int, inputs: Int) {
    let inputDimension = isTransposed ? 0 : 1
    guard x.shape.count == 2, weight.count == 2, x.shape[1] == weight[inputDimension]
    else {
      throw TensorError(
        "linear: input [tokens, in] and weight \(isTransposed ? "[in, out]" : "[out, in]") expected, "
          + "got \(x.shape) and \(weight)")
    }
    let outputs = weight[1 - inputDimension]
    if let bias, bias.shape != [outputs] {
      throw TensorError("linear: bias of shape [\(outputs)] expected, got \(bias.shape)")
    }
    return (outputs, x.shape[1])
  }

  private static func addRow(_ row: Tensor, to y: Tensor) {
    let width = row.count
    Team.shared.forEach(y.shape[0], atLeast: max(1, 65_536 / max(1, width))) { rows in
      for i in rows { Kernels.add(row.pointer, to: y.pointer + i * width, width) }
    }
  }
}
