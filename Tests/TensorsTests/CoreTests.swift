import Glibc
import Kernels
import TestSupport
import Testing

@testable import Tensors

@Suite struct PhiloxTests {
  // Known answers published with the Random123 library (kat_vectors, philox4x32 with 10 rounds).
  @Test func knownAnswers() {
    #expect(
      philox([0, 0, 0, 0], key: [0, 0]) == [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8])
    let ones = UInt32.max
    #expect(
      philox([ones, ones, ones, ones], key: [ones, ones])
        == [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD])
    #expect(
      philox(
        [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344], key: [0xA409_3822, 0x299F_31D0])
        == [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1])
  }

  @Test func uniformNumbersFillTheUnitInterval() {
    var stream = RandomStream(seed: 7)
    let numbers = (0..<10_000).map { _ in stream.uniform() }
    #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
    // The mean of 10,000 uniform numbers has standard deviation 0.0029.
    #expect(abs(numbers.reduce(0, +) / 10_000 - 0.5) < 0.015)
  }
}

@Suite struct PackedProductTests {
  static func random(_ count: Int, _ seed: UInt64) -> [Float] {
    var stream = RandomStream(seed: seed)
    return (0..<count).map { _ in Float(stream.normal()) }
  }

  @Test(arguments: [(1, 1, 1), (5, 7, 3), (13, 24, 48), (64, 130, 33), (37, 320, 64)])
  func equalsTheReference(rows: Int, n: Int, k: Int) throws {
    let w = Tensor(Self.random(n * k, 1), shape: [n, k])
    let x = Self.random(rows * k, 2)
    var y = [Float](repeating: .nan, count: rows * n)
    try Self.multiply(w, x, rows: rows, into: &y)
    let exact = Reference.product(matrix(x, columns: k), matrix(w.values, columns: k))
    for (got, expected) in zip(y, exact.joined()) {
      #expect(abs(Double(got) - expected) < 1e-5 * Double(k))
    }
  }

  @Test func aRowHasTheSameBitsAloneAndInABatch() throws {
    let (rows, n, k) = (41, 136, 70)
    let w = Tensor(Self.random(n * k, 3), shape: [n, k])
    let x = Self.random(rows * k, 4)
    var all = [Float](repeating: 0, count: rows * n)
    try Self.multiply(w, x, rows: rows, into: &all)
    for row in 0..<rows {
      var one = [Float](repeating: 0, count: n)
      try Self.multiply(w, Array(x[row * k..<(row + 1) * k]), rows: 1, into: &one)
      #expect(one == Array(all[row * n..<(row + 1) * n]))
    }
  }

  /// Products with a packed copy, without one, and with one of weights that have changed since.
  @Test func packedCopiesAreThoseOfTheWeightsAsTheyAre() throws {
    let w = Tensor([1, 2], shape: [1, 2])
    let (x, weight) = (Tensor([1, 1], shape: [1, 2]), Weight.float32(w))
    #expect(weight.residentBytes == 8)
    try weight.pack()
    #expect(weight.residentBytes == 8 + 2 * 32 * 4)
    #expect(try Tensor.linear(x, weight).values == [3])
    w.pointer[0] = 5
    w.storage.didChange()
    #expect(try Tensor.linear(x, weight).values == [7])
    #expect(weight.residentBytes == 8)
    try weight.pack()
    #expect(try Tensor.linear(x, weight).values == [7])
    try w.setRequiresGradient(true)
    #expect(try Tensor.linear(x, weight).values == [7])
    #expect(weight.residentBytes == 8)
  }

  /// y = x Wᵀ by a packed copy.
  static func multiply(
    _ w: Tensor, _ x: [Float], rows: Int, into y: inout [Float]
  ) throws {
    let product = Product(try PackedMatrix(w))
    try y.withUnsafeMutableBufferPointer {
      try product.multiply(
        x, rows: rows, into: GradientBuffer(try #require($0.baseAddress), adds: false))
    }
  }
}

@Suite struct ExponentialTests {
  @Test func isWithinAnUlpOrSo() {
    var worst = 0.0
    var x = -87.0
    while x < 88 {
      let value = exponential(Vector(repeating: Float(x)))[0]
      let exact = exp(Double(Float(x)))
      worst = max(worst, abs(Double(value) - exact) / Double(Float(exact).ulp))
      x += 0.0137
    }
    #expect(worst < 1.5)
  }

  @Test func endsOfTheRange() {
    #expect(exponential(Vector(repeating: -.infinity))[3] == 0)
    #expect(exponential(Vector(repeating: .infinity))[3] == .infinity)
    #expect(exponential(Vector(repeating: .nan))[3].isNaN)
    #expect(exponential(Vector(repeating: 0))[3] == 1)
  }
}
