import Kernels
import TestSupport
import Testing

@testable import Tensors

@Suite struct LinearGradientTests {
  /// The products against the reference, on shapes with rests of every tile and more than one
  /// chunk.
  @Test(arguments: [(1, 1, 1), (7, 5, 3), (45, 33, 70), (1030, 21, 34)])
  func equalTheReference(rows: Int, n: Int, k: Int) throws {
    let dy = PackedProductTests.random(rows * n, 1)
    let w = PackedProductTests.random(n * k, 2)
    let x = PackedProductTests.random(rows * k, 3)
    var dx = [Float](repeating: 1, count: rows * k)
    var dw = [Float](repeating: -1, count: n * k)
    try dx.withUnsafeMutableBufferPointer {
      try Weight.float32(Tensor(w, shape: [n, k])).inputGradient(
        dy, rows: rows, into: GradientBuffer($0.baseAddress!, adds: true))
    }
    try dw.withUnsafeMutableBufferPointer {
      try weightGradient(
        dy, x, rows: rows, n: n, k: k, into: GradientBuffer($0.baseAddress!, adds: true))
    }
    // dx = 1 + dy W and dw = -1 + dyᵀ x, as products with a transposed right factor.
    let (dyRows, wRows, xRows) = (
      matrix(dy, columns: n), matrix(w, columns: k), matrix(x, columns: k)
    )
    let exactX = Reference.product(dyRows, Reference.transpose(wRows)).joined()
    for (got, expected) in zip(dx, exactX) {
      #expect(abs(Double(got) - (1 + expected)) < 1e-5 * Double(n + 1))
    }
    let exactW = Reference.product(Reference.transpose(dyRows), Reference.transpose(xRows))
    for (got, expected) in zip(dw, exactW.joined()) {
      #expect(abs(Double(got) - (expected - 1)) < 1e-5 * Double(rows + 1))
    }
  }

  /// A depth of which not one panel fits into the scratch memory is taken in slices, with the bits
  /// of the packed matrix.
  @Test func deepProductsHaveTheBitsOfThePackedMatrix() throws {
    let (rows, n, k) = (9, 40, 7000)
    let x = PackedProductTests.random(rows * k, 1)
    let w = Tensor(PackedProductTests.random(n * k, 2), shape: [n, k])
    var packed = [Float](repeating: 0, count: rows * n)
    try PackedProductTests.multiply(w, x, rows: rows, into: &packed)
    var sliced = [Float](repeating: .nan, count: rows * n)
    try sliced.withUnsafeMutableBufferPointer {
      try Weight.float32(w).product(isTrained: true).multiply(
        x, rows: rows, into: GradientBuffer($0.baseAddress!, adds: false))
    }
    #expect(sliced == packed)
  }

  @Test func nothingToAddLeavesZeros() throws {
    var dw = [Float](repeating: .nan, count: 6)
    try dw.withUnsafeMutableBufferPointer {
      try weightGradient(
        [0], [0], rows: 0, n: 2, k: 3, into: GradientBuffer($0.baseAddress!, adds: false))
    }
    #expect(dw == [0, 0, 0, 0, 0, 0])
  }

  /// The output layer is read again in backward().
  @Test func aChangedOutputLayerIsAnError() throws {
    let w = Tensor(PackedProductTests.random(20, 3), shape: [5, 4])
    try w.setRequiresGradient(true)
    let hidden = Tensor(PackedProductTests.random(8, 4), shape: [2, 4])
    let result = try Tensor.tokenLogProbabilities(
      hidden, weight: .float32(w), TokenTargets(rows: [0, 1], ids: [1, 2]), temperature: 1,
      entropy: false)
    w.pointer[0] = 3
    w.storage.didChange()
    let error = #expect(throws: TensorError.self) { try result.sum().backward() }
    #expect(error.map { "\($0)" }?.contains("'logprobs' was changed in place") == true)
  }
}
