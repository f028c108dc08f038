import Kernels
import Tensors

/// An operation of the transformer beside the same formula composed of general operations.
public struct FusedCase: Sendable, CustomStringConvertible {
  /// The fused operation.
  public let fused: OpCase
  /// Its composed twin, on the same inputs.
  public let twin: OpCase
  /// Name and shapes.
  public var description: String { fused.description }

  init(
    _ name: String, _ shapes: [[Int]], _ fused: @escaping @Sendable ([Tensor]) throws -> Tensor,
    twin: @escaping @Sendable ([Tensor]) throws -> Tensor
  ) {
    self.fused = OpCase(name, shapes, fused)
    self.twin = OpCase(name, shapes, twin)
  }
}

/// The fused operations, each with the shapes that take different paths through it.
public let fusedCases: [FusedCase] =
  normCases + projectionCases + attentionCases + [
    // Positions 0, 3, 1 of two heads, with the table's cosines and sines one and a half times as
    // large, as yarn has them.
    FusedCase(
      "rotary", [[3, 8]],
      {
        let table = RotaryTable(frequencies: [1, 0.25], scale: 1.5)
        return try .rotary($0[0], positions: [0, 3, 1], table)
      }
    ) { inputs in
      func column(_ values: [Float]) -> Tensor { Tensor(values.map { $0 * 1.5 }, shape: [3, 2]) }
      let cosines = column([1, 1, -0.989_992_5, 0.731_688_87, 0.540_302_3, 0.968_912_4])
      let sines = column([0, 0, 0.141_120_01, 0.681_638_8, 0.841_471, 0.247_403_96])
      return try Tensor.cat(
        (0..<2).flatMap { head in
          let a = try inputs[0].narrow(dim: 1, start: 4 * head, length: 2)
          let b = try inputs[0].narrow(dim: 1, start: 4 * head + 2, length: 2)
          return try [a * cosines - b * sines, b * cosines + a * sines]
        }, dim: 1)
    },
    FusedCase("swiglu", [[3, 21], [3, 21]], { try .swiGLU($0[0], $0[1]) }) {
      try $0[0] * $0[0].sigmoid() * $0[1]
    },
    FusedCase("gelu through tanh", [[3, 21]], { try $0[0].geluTanh() }) {
      let x = $0[0]
      let u = try (x + x * x * x * 0.044_715) * 0.797_884_56
      return try x * 0.5 * (u.tanh() + 1)
    },
  ]

private let normCases: [FusedCase] =
  [[5, 3], [2, 16], [3, 37], [130, 2]].flatMap {
    (shape: [Int]) in
    [
      FusedCase(
        "rms_norm", [shape, [shape[1]]],
        { try .rmsNorm($0[0], weight: $0[1], epsilon: 1e-2) }
      ) { try rmsNorm($0[0], $0[1]) },
      FusedCase(
        "layer_norm", [shape, [shape[1]], [shape[1]]],
        { try .layerNorm($0[0], weight: $0[1], bias: $0[2], epsilon: 1e-2) }
      ) {
        let centred = try $0[0] - $0[0].mean(dim: 1, keepdim: true)
        let variance = try (centred * centred).mean(dim: 1, keepdim: true)
        return try centred / (variance + 1e-2).sqrt() * $0[1] + $0[2]
      },
    ]
  } + [
    FusedCase(
      "rms_norm of heads", [[3, 8], [4]], { try .rmsNorm($0[0], weight: $0[1], epsilon: 1e-2) }
    ) { try rmsNorm($0[0].reshape([6, 4]), $0[1]).reshape([3, 8]) }
  ]

private func rmsNorm(_ x: Tensor, _ weight: Tensor) throws -> Tensor {
  try x / ((x * x).mean(dim: 1, keepdim: true) + 1e-2).sqrt() * weight
}

private let projectionCases: [FusedCase] = [(1, 3, 2), (5, 4, 3), (9, 5, 35)].flatMap {
  (rows: Int, inputs: Int, outputs: Int) in
  [
    FusedCase(
      "linear", [[rows, inputs], [outputs, inputs], [outputs]],
      { try .linear($0[0], $0[1], bias: $0[2]) }
    ) { try $0[0].matmul($0[1].transpose(0, 1)) + $0[2] },
    FusedCase(
      "linear transposed", [[rows, inputs], [inputs, outputs], [outputs]],
      { try .linear($0[0], $0[1], bias: $0[2], isTransposed: true) }
    ) { try $0[0].matmul($0[1]) + $0[2] },
    FusedCase(
      "low rank", [[rows, outputs], [rows, inputs], [2, inputs], [outputs, 2]],
      {
        let update = try LowRankUpdate(a: $0[2], b: $0[3], scale: 0.75)
        return try .adding(update, of: $0[1], to: $0[0] + 0)
      }
    ) { try $0[0] + $0[1].matmul($0[2].transpose(0, 1)).matmul($0[3].transpose(0, 1)) * 0.75 },
  ]
}

/// Two sequences, of 4 and 3 tokens, with 2 query heads of size 3 on 1 key-value head.
private let attentionCases: [FusedCase] = [1, 2, 3, Int.max].map { window in
  let lengths = [4, 3]
  return FusedCase(
    "attention \(window == .max ? "over all" : "window \(window)")", [[7, 6], [7, 3], [7, 3]],
    {
      try .attention(
        $0[0], $0[1], $0[2], batch: RaggedBatch(lengths: lengths),
        shape: AttentionShape(heads: 2, keyValueHeads: 1, size: 3, window: window))
    }
  ) { inputs in
    var start = 0
    return try Tensor.cat(
      lengths.map { length in
        let rows = try inputs.map { try $0.narrow(dim: 0, start: start, length: length) }
        start += length
        let heads = try (0..<2).map { head in
          let q = try rows[0].narrow(dim: 1, start: 3 * head, length: 3)
          let scores = try q.matmul(rows[1].transpose(0, 1)) * Tensor(1 / Float(3).squareRoot())
          return try (scores + mask(length, window)).softmax(dim: 1).matmul(rows[2])
        }
        return try Tensor.cat(heads, dim: 1)
      })
  }
}

/// 0 where token `row` sees token `column`, else so far below 0 that its weight is 0.
private func mask(_ length: Int, _ window: Int) -> Tensor {
  let places = (0..<length * length).map { ($0 / length, $0 % length) }
  let values = places.map { row, column -> Float in
    column <= row && row - column < window ? 0 : -1000
  }
  return Tensor(values, shape: [length, length])
}
