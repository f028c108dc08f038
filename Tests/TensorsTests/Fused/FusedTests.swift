import Glibc
import Kernels
import TestSupport
import Testing

@testable import Tensors

/// Fused operations against their composed twins, which have gradients of their own, and against
/// differences.
@Suite(.serialized) struct FusedTests {
  private func valuesAndGradients(_ op: OpCase) throws -> [[Float]] {
    let inputs = try op.inputs()
    for input in inputs { try input.setRequiresGradient(true) }
    let output = try op.body(inputs)
    var stream = RandomStream(seed: 3)
    try output.backward(seed: Tensor.randn(output.shape, from: &stream))
    return try [output.values] + inputs.map { try #require($0.gradient).values }
  }

  @Test(arguments: fusedCases) func equalsItsTwin(_ op: FusedCase) throws {
    let (fused, twin) = try (valuesAndGradients(op.fused), valuesAndGradients(op.twin))
    for (index, (ours, theirs)) in zip(fused, twin).enumerated() {
      let scale = theirs.reduce(1) { max($0, abs($1)) }
      #expect(largestDifference(ours, theirs) < 1e-5 * scale, "value 0, gradients 1...: \(index)")
    }
  }

  @Test(arguments: [1, 16, 37, 300]) func normsEqualTheReference(width: Int) throws {
    var stream = RandomStream(seed: 9)
    let tensors = try [[4, width], [width], [width]].map { try Tensor.randn($0, from: &stream) }
    let rms = try Tensor.rmsNorm(tensors[0], weight: tensors[1], epsilon: 1e-5)
    let layer = try Tensor.layerNorm(
      tensors[0], weight: tensors[1], bias: tensors[2], epsilon: 1e-5)
    let (x, w, b) = (
      matrix(tensors[0].values, columns: width), tensors[1].values.map(Double.init),
      tensors[2].values.map(Double.init)
    )
    let expected = [
      (rms, x.map { Reference.rmsNorm($0, weight: w, epsilon: 1e-5) }),
      (layer, x.map { Reference.layerNorm($0, weight: w, bias: b, epsilon: 1e-5) }),
    ]
    for (ours, theirs) in expected {
      for (got, exact) in zip(ours.values, theirs.joined()) {
        #expect(abs(Double(got) - exact) < 1e-5)
      }
    }
  }

  @Test(arguments: fusedCases) func gradientEqualsCentralDifferences(_ op: FusedCase) throws {
    try GradientTests().equalsCentralDifferences(op.fused)
  }

  @Test(arguments: fusedCases) func aGraphThatNobodyWalksIsFreed(_ op: FusedCase) throws {
    let before = Storage.liveBytes
    try inAScope {
      let inputs = try op.fused.inputs()
      for input in inputs { try input.setRequiresGradient(true) }
      // On results of operations, so that what the gradient keeps hangs on the tape.
      _ = try op.fused.body(inputs.map { try $0 * 2 })
    }
    #expect(Storage.liveBytes == before)
  }

  @inline(never)
  private func inAScope(_ body: () throws -> Void) rethrows { try body() }

  /// A table is made as far as it is needed, and made longer while others use it.
  @Test func aLongerRotaryTableBeginsLikeTheShorterOne() throws {
    let (table, whole) = (RotaryTable(frequencies: [1, 0.3]), RotaryTable(frequencies: [1, 0.3]))
    let short = try table.angles(through: 3)
    let long = try table.angles(through: 700)
    let all = try whole.angles(through: 700)
    for index in 0..<4 * 2 {
      #expect(
        short.cosines[index] == Float(cos(Double([1, Float(0.3)][index % 2] * Float(index / 2)))))
      #expect(short.sines[index] == long.sines[index])
    }
    for index in 0..<701 * 2 {
      #expect(long.cosines[index] == all.cosines[index])
      #expect(long.sines[index] == all.sines[index])
    }
  }

  @Test func geluEqualsItsDefinition() throws {
    let numbers: [Float] = [-40, -6, -2.5, -1, -0.3, 0, 1e-8, 0.4, 1, 3, 12, 1e20]
    let x = Tensor(numbers, shape: [numbers.count])
    try x.setRequiresGradient(true)
    let y = try x.gelu()
    try y.sum().backward()
    let gradient = try #require(x.gradient).values
    for (i, number) in numbers.map(Double.init).enumerated() {
      let normal = 0.5 * erfc(-number / 2.squareRoot())
      let density = exp(-number * number / 2) / (2 * Double.pi).squareRoot()
      #expect(abs(Double(y.values[i]) - number * normal) <= 2e-7 * max(1e-3, abs(number)))
      let slope = normal + (density == 0 ? 0 : number * density)
      #expect(abs(Double(gradient[i]) - slope) < 1e-6)
    }
  }

  @Test func geluThroughTanhStaysFiniteFarOut() throws {
    let x = Tensor([-1e30, -200, 200, 1e18], shape: [4])
    try x.setRequiresGradient(true)
    let y = try x.geluTanh()
    try y.sum().backward()
    #expect(y.values.map(abs) == [0, 0, 200, 1e18])
    #expect(x.gradient?.values == [0, 0, 1, 1])
  }

  @Test func shapesThatDoNotFitAreNamed() throws {
    let x = try Tensor.zeros([2, 6])
    #expect(
      errorText { _ = try Tensor.rmsNorm(x, weight: .zeros([4]), epsilon: 1) }
        == "rms_norm: input [tokens, C] and weight [C] expected, got [2, 6] and [4]")
    #expect(
      errorText { _ = try Tensor.layerNorm(x, weight: .zeros([6]), bias: .zeros([3]), epsilon: 1) }
        == "layer_norm: input [tokens, C], weight [C] and bias [C] expected, got [2, 6], [6] and [3]"
    )
    #expect(
      errorText { _ = try Tensor.linear(x, Tensor(zeros: [5, 6]), isTransposed: true) }
        == "linear: input [tokens, in] and weight [in, out] expected, got [2, 6] and [5, 6]")
  }
}
