import Kernels

extension Tensor {
  /// silu(gate) up, element by element (arXiv 2002.05202).
  public static func swiGLU(_ gate: Tensor, _ up: Tensor) throws(TensorError) -> Tensor {
    guard gate.shape == up.shape else {
      throw .shapes(
        operation: "swiglu", expected: "equal shapes", given: [gate.shape, up.shape])
    }
    let y = try result(gate.shape, for: "swiglu")
    let grain = 16_384
    Team.shared.forEach(gate.count, atLeast: grain) { range in
      let start = range.lowerBound
      Kernels.swiGLU(gate.pointer + start, up.pointer + start, into: y.pointer + start, range.count)
    }
    guard records(gate, up) else { return y }
    return recorded("swiglu", [gate, up], y, style: .writing) {
      [gate = gate.detached(), up = up.detached()] dy, into in
      Team.shared.forEach(gate.count, atLeast: grain) { range in
        let start = range.lowerBound
        swiGLUBackward(
          gate.pointer + start, up.pointer + start, gradient: dy + start,
          dGate: into.buffer(0, from: start), dUp: into.buffer(1, from: start), range.count)
      }
    }
  }
}
