import Kernels

/// What an adapter adds to a linear map: s B A of rank r (LoRA, arXiv 2106.09685, section 4.1).
public struct LowRankUpdate: Sendable {
  /// The first factor A [r, in].
  public let a: Tensor
  /// The second factor B [out, r].
  public let b: Tensor
  /// The scale s of the product.
  public let scale: Float
  /// The factors as products use them.
  let weights: (a: Weight, b: Weight)

  /// Two factors, whose ranks must be equal, and their scale.
  public init(a: Tensor, b: Tensor, scale: Float) throws(TensorError) {
    guard a.shape.count == 2, b.shape.count == 2, a.shape[0] == b.shape[1] else {
      throw .shapes(
        operation: "low_rank", expected: "A [r, in] and B [out, r]", given: [a.shape, b.shape])
    }
    (self.a, self.b, self.scale) = (a, b, scale)
    weights = (.float32(a), .float32(b))
  }

  var rank: Int { a.shape[0] }

  /// Packs both factors (see `Weight.pack`).
  public func pack() throws(TensorError) {
    try weights.a.pack()
    try weights.b.pack()
  }

  /// s B A [out, in], for merging it into a weight.
  public func product() throws(TensorError) -> Tensor {
    try b.matmul(a) * Tensor(scale)
  }
}

extension Tensor {
  /// y + s (x Aᵀ) Bᵀ for x [N, in] and y [N, out], computed in place: y must not be used elsewhere.
  ///
  /// Costs r (in + out) multiplications a row, as A and B are never multiplied with each other. A
  /// row of the result does not depend on the other rows.
  public static func adding(_ update: LowRankUpdate, of x: Tensor, to y: Tensor)
    throws(TensorError) -> Tensor
  {
    let (a, b) = update.weights
    let (inputs, outputs, rank) = (a.shape[1], b.shape[0], update.rank)
    guard x.shape.count == 2, x.shape[1] == inputs, y.shape == [x.shape[0], outputs] else {
      throw .shapes(
        operation: "low_rank",
        expected: "input [tokens, \(inputs)] and output [tokens, \(outputs)]",
        given: [x.shape, y.shape])
    }
    let rows = x.shape[0]
    let h = try result([rows, rank], for: "low_rank")  // s x Aᵀ
    try a.product(isTrained: a.isRecorded).multiply(
      x.pointer, rows: rows, into: GradientBuffer(h.pointer, adds: false))
    Kernels.scale(update.scale, h.pointer, into: h.pointer, h.count)
    try b.product(isTrained: b.isRecorded).multiply(
      h.pointer, rows: rows, into: GradientBuffer(y.pointer, adds: true))
    let saved = [SavedValues(update.a), SavedValues(update.b)]
    return recorded("low_rank", [y, x, update.a, update.b], y, style: [.passing, .writing]) {
      [x = x.detached(), a = a.withoutTape, b = b.withoutTape, scale = update.scale] dy, into in
      for values in saved { _ = try values.pointer(for: "low_rank") }
      let dh = try Storage(count: rows * rank, for: "backward")
      try b.inputGradient(dy, rows: rows, into: GradientBuffer(dh.pointer, adds: false))
      Kernels.scale(scale, dh.pointer, into: dh.pointer, rows * rank)
      if let dx = into.buffer(1) {
        try a.inputGradient(dh.pointer, rows: rows, into: dx)
      }
      if let da = into.buffer(2) {
        try a.gradient(dh.pointer, x.pointer, rows: rows, into: da)
      }
      if let db = into.buffer(3) {
        try b.gradient(dy, h.pointer, rows: rows, into: db)
      }
    }
  }
}
