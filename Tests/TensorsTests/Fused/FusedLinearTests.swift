import Testing

@testable import Tensors

@Suite struct FusedLinearTests {
  /// Maps of one input in one loop against each by itself: widths with rests, a bias, a bfloat16
  /// and a transposed weight.
  @Test(arguments: [1, 7, 64])
  func haveTheBitsOfEachAlone(rows: Int) throws {
    let x = tensor([rows, 300], 1)
    let maps = [
      LinearMap(.float32(tensor([70, 300], 2)), bias: tensor([70], 3)),
      LinearMap(.float32(tensor([33, 300], 4)), bias: nil),
      LinearMap(.bfloat16(try BFloat16Matrix(tensor([100, 300], 5))), bias: tensor([100], 6)),
      LinearMap(.float32(tensor([300, 5], 7), isTransposed: true), bias: tensor([5], 8)),
    ]
    let apart = try Tensor.linears(x, maps)
    for map in maps { try map.weight.pack() }
    let fused = try Tensor.linears(x, maps)
    for (one, other) in zip(apart, fused) {
      #expect(one.shape == other.shape)
      #expect(one.values == other.values)
    }
  }

  /// What stands around a product and is done in its loop, against the operations apart.
  @Test(arguments: [1, 7, 64])
  func residualsAndGatesHaveTheBitsOfTheirOperations(rows: Int) throws {
    let x = tensor([rows, 300], 1)
    let gate = LinearMap(.float32(tensor([70, 300], 2)), bias: tensor([70], 3))
    let up = LinearMap(.bfloat16(try BFloat16Matrix(tensor([70, 300], 4))), bias: nil)
    let residual = tensor([rows, 70], 5)
    func results() throws -> [[Float]] {
      [
        try Tensor.linear(x, gate, addedTo: residual).values,
        try Tensor.swiGLU(x, gate: gate, up: up).values,
      ]
    }
    let apart = try results()
    try gate.weight.pack()
    #expect(try results() == apart)
    #expect(residual.values == tensor([rows, 70], 5).values)
  }

  @Test func wrongShapesAreAnError() throws {
    let x = Tensor(zeros: [2, 5])
    for isPacked in [false, true] {
      func map(_ shape: [Int]) throws -> LinearMap {
        let map = LinearMap(.float32(Tensor(zeros: shape)), bias: nil)
        if isPacked { try map.weight.pack() }
        return map
      }
      #expect(throws: TensorError.self) { try Tensor.linears(x, [map([4, 3])]) }
      #expect(throws: TensorError.self) {
        try Tensor.linear(x, map([4, 5]), addedTo: Tensor(zeros: [2, 3]))
      }
      #expect(throws: TensorError.self) {
        try Tensor.swiGLU(x, gate: map([4, 5]), up: map([6, 5]))
      }
    }
  }

  private func tensor(_ shape: [Int], _ seed: UInt64) -> Tensor {
    Tensor(PackedProductTests.random(shape.reduce(1, *), seed), shape: shape)
  }
}
