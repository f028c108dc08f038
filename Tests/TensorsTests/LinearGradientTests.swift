import Kernels
import Testing

@testable import Tensors

@Suite struct LinearGradientTests {
  /// The products against sums in doubles, on shapes with rests of every tile and more than one chunk.
  @Test(arguments: [(1, 1, 1), (7, 5, 3), (45, 33, 70), (1030, 21, 34)])
  func equalSumsInDoubles(rows: Int, n: Int, k: Int) throws {
    let dy = PackedProductTests.random(rows * n, 1)
    let w = PackedProductTests.random(n * k, 2)
    let x = PackedProductTests.random(rows * k, 3)
    var dx = [Float](repeating: 1, count: rows * k)
    var dw = [Float](repeating: -1, count: n * k)
    dx.withUnsafeMutableBufferPointer {
      inputGradient(
        dy, rows: rows, weight: w, n: n, k: k, into: GradientBuffer($0.baseAddress!, adds: true))
    }
    try dw.withUnsafeMutableBufferPointer {
      try weightGradient(
        dy, x, rows: rows, n: n, k: k, into: GradientBuffer($0.baseAddress!, adds: true))
    }
    for row in stride(from: 0, to: rows, by: 13) {
      for i in 0..<k {
        let sum = (0..<n).reduce(1.0) { $0 + Double(dy[row * n + $1]) * Double(w[$1 * k + i]) }
        #expect(abs(Double(dx[row * k + i]) - sum) < 1e-5 * Double(n + 1))
      }
    }
    for o in 0..<n {
      for i in 0..<k {
        let sum = (0..<rows).reduce(-1.0) {
          $0 + Double(dy[$1 * n + o]) * Double(x[$1 * k + i])
        }
        #expect(abs(Double(dw[o * k + i]) - sum) < 1e-5 * Double(rows + 1))
      }
    }
  }
}
