import Kernels
import TestSupport
import Testing

@testable import Tensors

/// The oracle of a matrix that is held as bfloat16 is a float32 one of the rounded weights.
@Suite struct BFloat16Tests {
  private func rounded(_ tensor: Tensor) -> Tensor {
    Tensor(
      tensor.values.map { Float(bitPattern: UInt32(Kernels.bfloat16($0)) << 16) },
      shape: tensor.shape)
  }

  private func random(_ shape: [Int], _ seed: UInt64) -> Tensor {
    Tensor(PackedProductTests.random(shape.reduce(1, *), seed), shape: shape)
  }

  private static let shapes = [
    (1, 1, 1), (1, 33, 5), (2, 7, 3), (5, 160, 31), (13, 24, 48), (41, 130, 300),
  ]

  @Test(arguments: shapes, [false, true])
  func productsAreThoseOfTheRoundedWeights(shape: (Int, Int, Int), isTransposed: Bool) throws {
    let (rows, n, k) = shape
    let weight = random(isTransposed ? [k, n] : [n, k], 1)
    let held = try BFloat16Matrix(weight, isTransposed: isTransposed)
    #expect(try held.floats().values == rounded(weight).values)
    let (x, bias) = (random([rows, k], 2), random([n], 3))
    let expected = try Tensor.linear(x, rounded(weight), bias: bias, isTransposed: isTransposed)
    let result = try Tensor.linear(x, .bfloat16(held), bias: bias)
    #expect(result.values.map(\.bitPattern) == expected.values.map(\.bitPattern))
  }

  @Test(arguments: [false, true])
  func theInputGetsTheGradientOfTheRoundedWeights(isTransposed: Bool) throws {
    let weight = random(isTransposed ? [70, 45] : [45, 70], 1)
    let held = try BFloat16Matrix(weight, isTransposed: isTransposed)
    func gradients(_ weight: Weight) throws -> [[UInt32]] {
      let (x, bias) = (random([9, 70], 2), random([45], 3))
      try x.setRequiresGradient(true)
      try bias.setRequiresGradient(true)
      try (Tensor.linear(x, weight, bias: bias).tanh()).sum().backward()
      return [x, bias].map { $0.gradient?.values.map(\.bitPattern) ?? [] }
    }
    let plain = Weight.float32(rounded(weight), isTransposed: isTransposed)
    #expect(try gradients(.bfloat16(held)) == gradients(plain))
  }

  @Test func rowsAndLogProbabilitiesAreThoseOfTheRoundedWeights() throws {
    let weight = random([70, 40], 1)
    let (held, plain) = (
      Weight.bfloat16(try BFloat16Matrix(weight)), Weight.float32(rounded(weight))
    )
    let ids = [69, 0, 31, 32, 0]
    #expect(try Tensor.embedding(ids, held).values == Tensor.embedding(ids, plain).values)
    func score(_ weight: Weight) throws -> [[Float]] {
      let hidden = random([5, 40], 2)
      try hidden.setRequiresGradient(true)
      let result = try Tensor.tokenLogProbabilities(
        hidden, weight: weight, TokenTargets(rows: [0, 2, 4], ids: [1, 69, 33]),
        temperature: 0.7, entropy: true)
      try result.sum().backward()
      return [result.values, hidden.gradient?.values ?? []]
    }
    #expect(try score(held) == score(plain))
  }

  @Test func wrongShapesAreRefusedAsForFloat32() throws {
    let held = Weight.bfloat16(try BFloat16Matrix(random([4, 3], 1)))
    #expect(
      errorText { _ = try Tensor.linear(Tensor(zeros: [2, 4]), held) }
        == "linear: input [tokens, in] and weight [out, in] expected, got [2, 4] and [4, 3]")
  }

  @Test func theBytesAreHalf() throws {
    let before = Storage.liveBytes
    let held = try BFloat16Matrix(random([64, 50], 1))
    #expect(Storage.liveBytes - before == 64 * 50 * 2)
    withExtendedLifetime(held) {}
  }
}
