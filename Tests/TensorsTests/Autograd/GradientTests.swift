import TestSupport
import Testing

@testable import Tensors

@Suite struct GradientTests {
  /// d/dx of a random projection of the output, by four-point central differences with a step
  /// scaled to the value.
  @Test(arguments: opCases) func equalsCentralDifferences(_ op: OpCase) throws {
    let inputs = try op.inputs()
    for input in inputs { try input.setRequiresGradient(true) }
    let output = try op.body(inputs)
    var stream = RandomStream(seed: 3)
    let weights = try Tensor.randn(output.shape, from: &stream)
    try output.backward(seed: weights)

    func projection() throws -> Double {
      let output = try withoutGradients { try op.body(inputs) }
      return Swift.zip(output.values, weights.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    for (position, input) in inputs.enumerated() {
      let gradient = try #require(input.gradient).values
      for i in 0..<input.count {
        let value = input.pointer[i]
        let step = 0x1p-7 * max(1, abs(value))
        func at(_ steps: Float) throws -> Double {
          input.pointer[i] = value + steps * step
          input.storage.didChange()
          defer {
            input.pointer[i] = value
            input.storage.didChange()
          }
          return try projection()
        }
        let near = try at(1) - at(-1)
        let far = try at(2) - at(-2)
        let expected = Float((8 * near - far) / 12) / step
        #expect(
          abs(gradient[i] - expected) <= 2e-3 * max(1, abs(expected)),
          "input \(position), element \(i): \(gradient[i]), differences say \(expected)")
      }
    }
  }

  @Test(arguments: opCases) func twoBackwardsAgreeToTheBit(_ op: OpCase) throws {
    func gradients() throws -> [[Float]] {
      let inputs = try op.inputs()
      for input in inputs { try input.setRequiresGradient(true) }
      let output = try op.body(inputs)
      var stream = RandomStream(seed: 3)
      try output.backward(seed: Tensor.randn(output.shape, from: &stream))
      return inputs.compactMap { $0.gradient?.values }
    }
    #expect(try gradients() == gradients())
  }

  @Test func aValueChangedInPlaceIsNoticed() throws {
    let x = Tensor([1, 2], shape: [2])
    try x.setRequiresGradient(true)
    let y = try (x * x).sum()
    x.pointer[0] = 5
    x.storage.didChange()
    #expect(throws: TensorError.changedInPlace(operation: "mul", .tensor)) { try y.backward() }
  }

  @Test func nothingIsRecordedWithoutNeed() throws {
    let x = Tensor([1, 2], shape: [2])
    #expect(try !(x * x).requiresGradient)
    try x.setRequiresGradient(true)
    #expect(try withoutGradients { try !(x * x).requiresGradient })
    #expect(try !x.gt(1).requiresGradient)
    #expect(try !x.argmax().requiresGradient)
    #expect(try !(x.detached() * 2).requiresGradient)
  }
}
