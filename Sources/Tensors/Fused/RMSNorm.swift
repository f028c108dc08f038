import Kernels

extension Tensor {
  /// x w / sqrt(mean(x²) + ε) over the last dimension of x [N, C], with w [C] (arXiv 1910.07467).
  ///
  /// With w [D] for x [N, H·D], each of the H heads of a row is normed by itself.
  public static func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float) throws(TensorError)
    -> Tensor
  {
    let width = weight.count
    guard let last = x.shape.last, width > 0, last % width == 0, weight.shape.count == 1 else {
      throw .shapes(
        operation: "rms_norm", expected: "input [tokens, C] and weight [C]",
        given: [x.shape, weight.shape])
    }
    let rows = x.count / width
    let y = try result(x.shape, for: "rms_norm")
    let inverse = try Storage(count: rows, for: "rms_norm")
    Team.shared.forEach(rows, atLeast: rowGrain(width)) { range in
      for i in range {
        inverse.pointer[i] = Kernels.rmsNorm(
          x.pointer + i * width, weight: weight.pointer, epsilon: epsilon,
          into: y.pointer + i * width, width)
      }
    }
    guard records(x, weight) else { return y }
    return recorded("rms_norm", [x, weight], y, style: .writing) {
      [x = x.detached(), saved = SavedValues(weight), weight = weight.detached()] dy, into in
      _ = try saved.pointer(for: "rms_norm")
      try rmsNormGradient(x, weight, inverse, dy, into)
    }
  }

  private static func rmsNormGradient(
    _ x: Tensor, _ weight: Tensor, _ inverse: Storage, _ dy: UnsafePointer<Float>,
    _ into: InputGradients
  ) throws(TensorError) {
    let width = weight.count
    let chunks = blocks(inverse.count, size: 128)
    let dx = into.buffer(0)
    let partial = try into[1] == nil ? nil : Storage(zeros: chunks.count * width, for: "backward")
    Team.shared.forEach(chunks.count, atLeast: 1) { range in
      for chunk in range {
        for i in chunks[chunk] {
          rmsNormBackward(
            x.pointer + i * width, weight: weight.pointer, inverse: inverse.pointer[i],
            gradient: dy + i * width, dx: dx?.from(i * width),
            dw: partial.map { $0.pointer + chunk * width }, width)
        }
      }
    }
    guard let dw = into[1], let partial else { return }
    if into.isEmpty(1) { dw.update(repeating: 0, count: width) }
    for chunk in chunks.indices { Kernels.add(partial.pointer + chunk * width, to: dw, width) }
  }

  /// The least number of rows of `width` floats worth a thread.
  static func rowGrain(_ width: Int) -> Int { max(1, 32_768 / max(1, width)) }
}
