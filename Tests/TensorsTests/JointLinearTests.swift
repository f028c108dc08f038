import Testing

@testable import Tensors

@Suite struct JointLinearTests {
  /// Maps of one input in one loop against each by itself: widths with rests, a bias, a bfloat16 and a transposed weight.
  @Test(arguments: [1, 7, 64])
  func haveTheBitsOfEachAlone(rows: Int) throws {
    func tensor(_ shape: [Int], _ seed: UInt64) -> Tensor {
      Tensor(PackedProductTests.random(shape.reduce(1, *), seed), shape: shape)
    }
    let x = tensor([rows, 300], 1)
    let maps = [
      LinearMap(.float32(tensor([70, 300], 2)), bias: tensor([70], 3)),
      LinearMap(.float32(tensor([33, 300], 4)), bias: nil),
      LinearMap(.bfloat16(try BFloat16Matrix(tensor([100, 300], 5))), bias: tensor([100], 6)),
      LinearMap(.float32(tensor([300, 5], 7)), bias: tensor([5], 8), isTransposed: true),
    ]
    let apart = try Tensor.linears(x, maps)
    let joint = try withPackedWeights { try Tensor.linears(x, maps) }
    for (one, other) in zip(apart, joint) {
      #expect(one.shape == other.shape)
      #expect(one.values == other.values)
    }
  }

  @Test func wrongShapesAreAnError() throws {
    let maps = [LinearMap(.float32(Tensor(zeros: [4, 3])), bias: nil)]
    #expect(throws: TensorError.self) {
      try withPackedWeights { try Tensor.linears(Tensor(zeros: [2, 5]), maps) }
    }
  }
}
