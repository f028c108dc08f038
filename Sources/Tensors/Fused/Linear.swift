import Kernels

extension Tensor {
  /// y = x Wᵀ + b for x [N, in], W [out, in] and an optional b [out]: PyTorch's `F.linear`.
  ///
  /// The product runs on packed weights with one order of summation, so a row of y does not depend on the other rows.
  public static func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil) throws(TensorError)
    -> Tensor
  {
    try checkLinear(x, weight, bias)
    let (rows, outputs, inputs) = (x.shape[0], weight.shape[0], weight.shape[1])
    let y = try result([rows, outputs], for: "linear")
    weight.packed.multiply(x.pointer, rows: rows, into: y.pointer)
    if let bias { addRow(bias, to: y) }
    let version = weight.storage.version
    let sources = [x, weight] + (bias.map { [$0] } ?? [])
    return recorded("linear", sources, y) {
      [x = x.detached(), weight = weight.detached(), hasBias = bias != nil] dy, into in
      guard weight.storage.version == version else {
        throw TensorError("backward: the weight of 'linear' was changed in place after it was used")
      }
      if let dx = into[0] {
        addInputGradient(dy, rows: rows, weight: weight.pointer, n: outputs, k: inputs, to: dx)
      }
      if let dw = into[1] {
        addWeightGradient(dy, x.pointer, rows: rows, n: outputs, k: inputs, to: dw)
      }
      if hasBias, let db = into[2] {
        for row in 0..<rows { Kernels.add(dy + row * outputs, to: db, outputs) }
      }
    }
  }

  private static func checkLinear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?)
    throws(TensorError)
  {
    guard x.shape.count == 2, weight.shape.count == 2, x.shape[1] == weight.shape[1] else {
      throw TensorError(
        "linear: input [tokens, in] and weight [out, in] expected, got \(x.shape) and \(weight.shape)"
      )
    }
    if let bias, bias.shape != [weight.shape[0]] {
      throw TensorError("linear: bias of shape [\(weight.shape[0])] expected, got \(bias.shape)")
    }
  }

  private static func addRow(_ row: Tensor, to y: Tensor) {
    let width = row.count
    Team.shared.forEach(y.shape[0], atLeast: max(1, 65_536 / max(1, width))) { rows in
      for i in rows { Kernels.add(row.pointer, to: y.pointer + i * width, width) }
    }
  }
}
