import Kernels

extension Tensor {
  /// y = x Wᵀ + b for x [N, in], W [out, in] and an optional b [out]: PyTorch's `F.linear`.
  ///
  /// Where `isTransposed`, the weight is stored [in, out], as in GPT-2's `Conv1D`.
  /// The product runs on packed weights with one order of summation, so a row of y does not depend on the other rows.
  public static func linear(
    _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, isTransposed: Bool = false
  ) throws(TensorError) -> Tensor {
    let (outputs, inputs) = try checkLinear(x, weight, bias, isTransposed)
    let rows = x.shape[0]
    let y = try result([rows, outputs], for: "linear")
    weight.packed(isTransposed: isTransposed).multiply(x.pointer, rows: rows, into: y.pointer)
    if let bias { addRow(bias, to: y) }
    let version = weight.storage.version
    let sources = [x, weight] + (bias.map { [$0] } ?? [])
    return recorded("linear", sources, y) {
      // A frozen weight has no gradient, and its input need not be kept for one.
      [
        x = weight.requiresGradient ? x.detached() : nil, weight = weight.detached(),
        hasBias = bias != nil
      ] dy, into in
      guard weight.storage.version == version else {
        throw TensorError("backward: the weight of 'linear' was changed in place after it was used")
      }
      if let dx = into[0] {
        addInputGradient(
          dy, rows: rows, weight: weight.pointer, n: outputs, k: inputs, isTransposed: isTransposed,
          to: dx)
      }
      if let x, let dw = into[1], isTransposed {
        addWeightGradient(x.pointer, dy, rows: rows, n: inputs, k: outputs, to: dw)
      } else if let x, let dw = into[1] {
        addWeightGradient(dy, x.pointer, rows: rows, n: outputs, k: inputs, to: dw)
      }
      if hasBias, let db = into[2] {
        for row in 0..<rows { Kernels.add(dy + row * outputs, to: db, outputs) }
      }
    }
  }

  private static func checkLinear(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ isTransposed: Bool
  ) throws(TensorError) -> (outputs: Int, inputs: Int) {
    let inputDimension = isTransposed ? 0 : 1
    guard x.shape.count == 2, weight.shape.count == 2, x.shape[1] == weight.shape[inputDimension]
    else {
      throw TensorError(
        "linear: input [tokens, in] and weight \(isTransposed ? "[in, out]" : "[out, in]") expected, "
          + "got \(x.shape) and \(weight.shape)")
    }
    let outputs = weight.shape[1 - inputDimension]
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
