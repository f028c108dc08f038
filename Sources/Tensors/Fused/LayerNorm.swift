import Kernels

extension Tensor {
  /// (x − mean) w / sqrt(variance + ε) + b over the last dimension of x [N, C], with w and b [C]
  /// (arXiv 1607.06450).
  public static func layerNorm(_ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float)
    throws(TensorError) -> Tensor
  {
    let width = weight.count
    guard x.shape.last == width, width > 0, weight.shape.count == 1, bias.shape == weight.shape
    else {
      throw .shapes(
        operation: "layer_norm", expected: "input [tokens, C], weight [C] and bias [C]",
        given: [x.shape, weight.shape, bias.shape])
    }
    let rows = x.count / width
    let y = try result(x.shape, for: "layer_norm")
    let moments = try Storage(count: 2 * rows, for: "layer_norm")
    Team.shared.forEach(rows, atLeast: rowGrain(width)) { range in
      for i in range {
        (moments.pointer[2 * i], moments.pointer[2 * i + 1]) = Kernels.layerNorm(
          x.pointer + i * width, weight: weight.pointer, bias: bias.pointer, epsilon: epsilon,
          into: y.pointer + i * width, width)
      }
    }
    guard records(x, weight, bias) else { return y }
    return recorded("layer_norm", [x, weight, bias], y) {
      [x = x.detached(), saved = SavedValues(weight), weight = weight.detached()] dy, into in
      _ = try saved.pointer(for: "layer_norm")
      try layerNormGradient(x, weight, moments, dy, into)
    }
  }

  private static func layerNormGradient(
    _ x: Tensor, _ weight: Tensor, _ moments: Storage, _ dy: UnsafePointer<Float>,
    _ into: InputGradients
  ) throws(TensorError) {
    let width = weight.count
    let chunks = blocks(moments.count / 2, size: 128)
    let partials = try (1...2).map { input throws(TensorError) in
      try into[input] == nil ? nil : Storage(zeros: chunks.count * width, for: "backward")
    }
    Team.shared.forEach(chunks.count, atLeast: 1) { range in
      for chunk in range {
        for i in chunks[chunk] {
          layerNormBackward(
            x.pointer + i * width, weight: weight.pointer, mean: moments.pointer[2 * i],
            inverse: moments.pointer[2 * i + 1], gradient: dy + i * width,
            dx: into[0].map { $0 + i * width }, dw: partials[0].map { $0.pointer + chunk * width },
            db: partials[1].map { $0.pointer + chunk * width }, width)
        }
      }
    }
    for (input, partial) in zip(1...2, partials) {
      guard let target = into[input], let partial else { continue }
      for chunk in chunks.indices {
        Kernels.add(partial.pointer + chunk * width, to: target, width)
      }
    }
  }
}
