import Kernels

// Between one value per token and one value per sequence, for sequences laid end to end.

extension Tensor {
  /// The sum of each segment of x [M], added in order in double precision: [B]. An empty segment
  /// sums to 0.
  public static func segmentSum(_ x: Tensor, lengths: [Int]) throws(TensorError) -> Tensor {
    try checkSegments(x, lengths, total: lengths.reduce(0, +))
    let y = try result([lengths.count], for: "sum")
    var start = 0
    for (b, length) in lengths.enumerated() {
      y.pointer[b] = Float((start..<start + length).reduce(0.0) { $0 + Double(x.pointer[$1]) })
      start += length
    }
    return recorded("sum over tokens", [x], y) { dy, into in
      guard let dx = into[0] else { return }
      var start = 0
      for (b, length) in lengths.enumerated() {
        for i in start..<start + length { dx[i] += dy[b] }
        start += length
      }
    }
  }

  /// Each of the values y [B] repeated over its segment: [M].
  public static func segmentExpand(_ y: Tensor, lengths: [Int]) throws(TensorError) -> Tensor {
    try checkSegments(y, lengths, total: lengths.count)
    let x = try result([lengths.reduce(0, +)], for: "expand")
    var start = 0
    for (b, length) in lengths.enumerated() {
      for i in start..<start + length { x.pointer[i] = y.pointer[b] }
      start += length
    }
    return recorded("expand over tokens", [y], x) { dx, into in
      guard let dy = into[0] else { return }
      var start = 0
      for (b, length) in lengths.enumerated() {
        dy[b] += (start..<start + length).reduce(Float(0)) { $0 + dx[$1] }
        start += length
      }
    }
  }

  private static func checkSegments(_ x: Tensor, _ lengths: [Int], total: Int) throws(TensorError) {
    guard x.shape == [total] else {
      throw .segments(
        count: lengths.count, tokens: lengths.reduce(0, +), expected: total, given: x.shape)
    }
  }
}
