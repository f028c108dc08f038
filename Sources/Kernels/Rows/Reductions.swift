// Reductions of rows. Long sums are split into blocks whose totals are added in double precision:
// the error does not grow with the length, and the split depends only on the length.

/// Elements that are summed in single precision before the total is carried in double.
private let sumBlock = 1024

/// The sum of a row of any length.
public func longSum(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
  var total = 0.0
  var i = 0
  while i < count {
    let size = min(sumBlock, count - i)
    total += Double(sum(x + i, size))
    i += size
  }
  return total
}

/// The sum over i of a[i] b[i] for rows of any length.
public func longDot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
  var total = 0.0
  var i = 0
  while i < count {
    let size = min(sumBlock, count - i)
    total += Double(dot(a + i, b + i, size))
    i += size
  }
  return total
}

/// y[i] = exp(x[i] - shift), returning the sum of the y. `y` may be `x`, or nil where only the sum
/// is wanted.
public func longExponential(
  _ x: UnsafePointer<Float>, minus shift: Float, into y: UnsafeMutablePointer<Float>?, _ count: Int
) -> Double {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: sumBlock) { scratch in
    guard let scratch = scratch.baseAddress else { return 0 }
    var total = 0.0
    var i = 0
    while i < count {
      let size = min(sumBlock, count - i)
      let target = y.map { $0 + i } ?? scratch
      total += Double(exponential(x + i, minus: shift, into: target, size))
      i += size
    }
    return total
  }
}

/// Adds `rows` rows of `width` floats, `stride` apart, column by column, to `totals`.
public func addColumns(
  _ x: UnsafePointer<Float>, rows: Int, stride: Int, width: Int,
  to totals: UnsafeMutablePointer<Double>
) {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { buffer in
    guard let partial = buffer.baseAddress else { return }
    var row = 0
    while row < rows {
      let end = min(rows, row + 64)
      partial.update(repeating: 0, count: width)
      while row < end {
        add(x + row * stride, to: partial, width)
        row += 1
      }
      for column in 0..<width { totals[column] += Double(partial[column]) }
    }
  }
}

/// The position of the largest (`sign` 1) or smallest (-1) element of a row that is not empty.
///
/// As in PyTorch the first of equal ones counts, and a NaN wins both.
public func indexOfExtreme(_ x: UnsafePointer<Float>, sign: Float, _ count: Int) -> Int {
  var best = Vector(repeating: -.infinity)
  var i = 0
  while i + 16 <= count {
    let value = Vector(at: x + i)
    if any(value .!= value) { return firstIndex(x, i..<count) { $0 != $0 } }
    best = maximum(best, value * sign)
    i += 16
  }
  var extreme = best.largest
  while i < count {
    if x[i] != x[i] { return i }
    if x[i] * sign > extreme { extreme = x[i] * sign }
    i += 1
  }
  return firstIndex(x, 0..<count) { $0 * sign == extreme }
}

@inline(__always)
private func firstIndex(
  _ x: UnsafePointer<Float>, _ range: Range<Int>, where found: (Float) -> Bool
) -> Int {
  for i in range where found(x[i]) { return i }
  return range.lowerBound
}
