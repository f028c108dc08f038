import Kernels
import TestSupport
import Testing

@testable import Tensors

/// Keys and values rounded to bfloat16: the numbers, the way back, and what attention makes of
/// them.
@Suite(.serialized) struct KeyValueRoundingTests {
  /// The rule for a single number, with the rest of the division by 2¹⁶ in the open.
  private func nearest(_ x: Float) -> Float {
    if !x.isFinite { return x }
    let bits = x.bitPattern
    let (whole, rest) = (bits >> 16, bits & 0xFFFF)
    let isUp = rest > 0x8000 || rest == 0x8000 && whole % 2 == 1
    return Float(bitPattern: (whole + (isUp ? 1 : 0)) << 16)
  }

  @Test func roundsToNearestAndTiesToEven() throws {
    #expect(nearest(1.00390625) == 1)  // halfway between 1 and 1.0078125
    #expect(nearest(1.01171875) == 1.015625)
    #expect(nearest(.greatestFiniteMagnitude) == .infinity)
    var stream = RandomStream(seed: 3)
    let edges: [UInt32] = [
      0, 0x8000_0000, 1, 0x8000, 0x8001, 0x1_8000, 0x3F80_8000, 0x3F81_8000, 0x3F81_7FFF,
      0x7F7F_7FFF, 0x7F7F_8000, 0x7F7F_FFFF, 0xFF7F_FFFF,
    ]
    let bits = edges + (0..<3001).map { _ in UInt32(truncatingIfNeeded: stream.next()) }
    let numbers = bits.map { Float(bitPattern: $0) }.filter { !$0.isNaN }
    let ours = try Tensor(numbers, shape: [numbers.count]).rounded(to: .bfloat16).values
    #expect(ours.map(\.bitPattern) == numbers.map { nearest($0).bitPattern })
    #expect(numbers.map { UInt32(bfloat16($0)) << 16 } == ours.map(\.bitPattern))
  }

  @Test func whatIsNoFiniteNumberStays() throws {
    let odd: [Float] = [
      .infinity, -.infinity, .nan, -.nan, Float(bitPattern: 0x7F80_0001),
      Float(bitPattern: 0xFFFF_FFFF), Float(bitPattern: 0x7FFF_8000),
    ]
    let rounded = try Tensor(odd, shape: [odd.count]).rounded(to: .bfloat16).values
    for (ours, x) in zip(rounded, odd) {
      #expect(x.isNaN ? ours.isNaN : ours == x)
      #expect(ours.sign == x.sign)
      #expect(ours.bitPattern & 0xFFFF == 0)
    }
  }

  @Test func float32IsTheTensorItself() throws {
    let x = Tensor([1.1, 2.2], shape: [2])
    #expect(try x.rounded(to: .float32) === x)
  }

  /// The gradients of keys and values are those of attention over numbers that were rounded
  /// beforehand.
  @Test(arguments: [(4, 2, 16, Int.max), (3, 1, 20, 9), (2, 2, 64, 40)])
  func gradientsArePassedStraightThrough(
    heads: Int, keyValueHeads: Int, size: Int, window: Int
  ) throws {
    let shape = AttentionShape(
      heads: heads, keyValueHeads: keyValueHeads, size: size, window: window)
    let batch = RaggedBatch(lengths: [50, 3])
    var stream = RandomStream(seed: 4)
    let inputs = try [heads, keyValueHeads, keyValueHeads].map {
      try Tensor.randn([53, $0 * size], from: &stream)
    }
    let seed = try Tensor.randn([53, heads * size], from: &stream)
    func run(_ type: ScalarType, _ inputs: [Tensor]) throws -> [[UInt32]] {
      for input in inputs { try input.setRequiresGradient(true) }
      let out = try Tensor.attention(
        inputs[0], inputs[1].rounded(to: type), inputs[2].rounded(to: type), batch: batch,
        shape: shape)
      try out.backward(seed: seed)
      return try ([out] + inputs.map { try #require($0.gradient) }).map {
        $0.values.map(\.bitPattern)
      }
    }
    let twins = try inputs.enumerated().map { index, input in
      try index == 0 ? input.copied() : input.rounded(to: .bfloat16)
    }
    #expect(try run(.bfloat16, inputs) == run(.float32, twins))
  }
}
