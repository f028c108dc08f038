import Glibc
import Kernels
import Testing

@testable import Tensors

/// The elementary functions against the C library's in double precision.
@Suite struct FunctionAccuracyTests {
  /// The largest error in units of the last place over `count` points of `interval`.
  private func error(
    _ interval: ClosedRange<Double>, at point: (Double) -> Double = { $0 },
    _ function: (Tensor) throws -> Tensor, _ exact: (Double) -> Double
  ) throws -> Double {
    var stream = RandomStream(seed: 11)
    let width = interval.upperBound - interval.lowerBound
    let x = Tensor(
      (0..<50_000).map { _ in Float(point(interval.lowerBound + width * stream.uniform())) },
      shape: [50_000])
    return try Swift.zip(x.values, function(x).values).reduce(0) { worst, pair in
      let expected = exact(Double(pair.0))
      return max(worst, abs(Double(pair.1) - expected) / Double(Float(expected).ulp))
    }
  }

  @Test func logarithms() throws {
    #expect(try error(-87...88, at: Glibc.exp, { try $0.log() }, Glibc.log) < 1.5)
    #expect(try error(0.5...2, { try $0.log() }, Glibc.log) < 1.5)
    // Subnormal numbers.
    #expect(try error(-102 ... -88, at: Glibc.exp, { try $0.log() }, Glibc.log) < 1.5)
  }

  @Test func hyperbolicTangents() throws {
    #expect(try error(-12...12, { try $0.tanh() }, Glibc.tanh) < 3)
    #expect(try error(-1...1, { try $0.tanh() }, Glibc.tanh) < 3)
    #expect(try error(-1e-6...1e-6, { try $0.tanh() }, Glibc.tanh) < 3)
  }

  @Test func sigmoids() throws {
    #expect(try error(-80...20, { try $0.sigmoid() }, { 1 / (1 + Glibc.exp(-$0)) }) < 3)
  }

  @Test func extremesFindTheFirstAndNaN() {
    for count in [1, 15, 16, 17, 40] {
      for place in 0..<count {
        var row = [Float](repeating: 0, count: count)
        row[place] = 2
        #expect(indexOfExtreme(row, sign: 1, count) == place)
        row[place] = -2
        #expect(indexOfExtreme(row, sign: -1, count) == place)
        row[place] = .nan
        #expect(indexOfExtreme(row, sign: 1, count) == place)
        row = [Float](repeating: -.infinity, count: count)
        #expect(indexOfExtreme(row, sign: 1, count) == 0)
      }
    }
  }
}
