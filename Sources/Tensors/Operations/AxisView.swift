import Core
import Kernels

// Operations along one dimension. A tensor is viewed as [outer, n, inner]; operations that need
// contiguous elements transpose that dimension to the end first.

/// A tensor viewed as [outer, n, inner] around the dimension that an operation reduces or scans.
struct AxisView {
  let outer: Int
  let n: Int
  let inner: Int
  /// The shape after a reduction over n.
  let reduced: [Int]

  /// The view along `dim`, or of all elements as one row if it is nil.
  init(
    _ tensor: Tensor, along dim: Int?, keepdim: Bool = false, for operation: String
  ) throws(TensorError) {
    guard let dim else {
      (outer, n, inner) = (1, tensor.count, 1)
      reduced = keepdim ? [Int](repeating: 1, count: tensor.shape.count) : []
      return
    }
    try tensor.checkDimension(dim, for: operation)
    guard !tensor.shape.isEmpty else {
      (outer, n, inner, reduced) = (1, 1, 1, [])
      return
    }
    outer = tensor.shape[..<dim].reduce(1, *)
    n = tensor.shape[dim]
    inner = tensor.shape[(dim + 1)...].reduce(1, *)
    var shape = tensor.shape
    if keepdim { shape[dim] = 1 } else { shape.remove(at: dim) }
    reduced = shape
  }

  /// The number of rows of n elements.
  var count: Int { outer * inner }

  /// The same, of rows that have elements: an empty tensor may have any number of empty rows.
  var filledCount: Int { n == 0 ? 0 : count }

  /// Throws if there is no element to choose: the dimension is empty.
  func checkNotEmpty(_ tensor: Tensor, for operation: String) throws(TensorError) {
    guard n > 0 || count == 0 else {
      throw .noElements(operation: operation, shape: tensor.shape)
    }
  }
}

extension Tensor {
  /// Throws unless `dim` is a dimension; a scalar counts as having one, as in PyTorch.
  func checkDimension(_ dim: Int, for operation: String) throws(TensorError) {
    let rank = max(1, shape.count)
    guard dim >= 0, dim < rank else {
      throw .dimension(operation: operation, dim, shape: shape, count: rank)
    }
  }

  /// The rows [outer, inner, n]: self where the view is along the last dimension.
  func asRows(_ view: AxisView) throws(TensorError) -> Tensor {
    if view.inner == 1 { return self }
    return try reshape([view.outer, view.n, view.inner]).transpose(1, 2)
  }

  /// Undoes `asRows` after an operation that keeps all elements.
  func fromRows(_ view: AxisView, shape: [Int]) throws(TensorError) -> Tensor {
    if view.inner == 1 { return self }
    return try reshape([view.outer, view.inner, view.n]).transpose(1, 2).reshape(shape)
  }
}

/// Calls `body` with ranges of row numbers, on the team where there is enough to do.
func forRows(_ rows: Int, of n: Int, _ body: (Range<Int>) -> Void) throws(TensorError) {
  try Team.shared.forEachUntilStopped(
    rows, of: n, atLeast: elementGrain / 2 / max(1, n) + 1, body)
}

/// y[o, i] = scale Σ over n of x[o, n, i], in double precision beyond short blocks; the cut depends
/// on the sizes alone.
func sumMiddle(
  _ x: UnsafePointer<Float>, outer: Int, _ n: Int, inner: Int, scale: Double = 1,
  into y: UnsafeMutablePointer<Float>
) throws(TensorError) {
  guard outer > 0, inner > 0 else { return }
  let rows = inner == 1 ? 8192 : max(128, 16_384 / max(1, inner))
  let rowBlocks = max(1, (n + rows - 1) / rows)
  // The totals of the blocks wait in a buffer of 2 MB, or of one row where that is more.
  let group = max(1, min(outer, (1 << 18) / max(1, rowBlocks * inner)))
  try Memory.requireBuffer(bytes: group * rowBlocks * inner * 8, for: "sum")
  let partial = UnsafeMutablePointer<Double>.allocate(capacity: group * rowBlocks * inner)
  defer { partial.deallocate() }
  for first in stride(from: 0, to: outer, by: group) {
    let count = min(group, outer - first)
    partial.update(repeating: 0, count: count * rowBlocks * inner)
    try sumBlocks(x + first * n * inner, count, n, inner, rows: rows, into: partial)
    let target = y + first * inner
    for o in 0..<count {
      try forEachBlock(inner) { columns in
        for i in columns {
          var total = 0.0
          for r in 0..<rowBlocks { total += partial[(o * rowBlocks + r) * inner + i] }
          target[o * inner + i] = Float(total * scale)
        }
      }
    }
  }
}

/// partial[o, block, i] += the sum of x[o, n, i] over the `rows` values of n in each block.
private func sumBlocks(
  _ x: UnsafePointer<Float>, _ outer: Int, _ n: Int, _ inner: Int, rows: Int,
  into partial: UnsafeMutablePointer<Double>
) throws(TensorError) {
  let (rowBlocks, columnBlocks) = (max(1, (n + rows - 1) / rows), (inner + 255) / 256)
  let work = min(n, rows) * min(inner, 256)
  try Team.shared.forEachUntilStopped(
    outer * rowBlocks * columnBlocks, of: work, atLeast: elementGrain / max(1, work) + 1
  ) { range in
    for unit in range {
      let (o, block) = unit.quotientAndRemainder(dividingBy: rowBlocks * columnBlocks)
      let (r, c) = block.quotientAndRemainder(dividingBy: columnBlocks)
      let source = x + (o * n + r * rows) * inner + c * 256
      let total = partial + (o * rowBlocks + r) * inner + c * 256
      let size = min(rows, n - r * rows)
      if inner == 1 {
        total[0] = longSum(source, size)
      } else {
        addColumns(source, rows: size, stride: inner, width: min(256, inner - c * 256), to: total)
      }
    }
  }
}
