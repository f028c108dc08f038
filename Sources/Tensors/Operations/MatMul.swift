import Kernels
import Synchronization

// Products of matrices, vectors and batches of matrices.

extension Tensor {
  /// The matrix product, as PyTorch's: the last two dimensions are matrices, those before them are
  /// broadcast; a tensor of one dimension is a row on the left and a column on the right, and that
  /// dimension is gone from the result.
  public func matmul(_ other: Tensor) throws(TensorError) -> Tensor {
    guard !shape.isEmpty, !other.shape.isEmpty else {
      throw .shapes(
        operation: "matmul", expected: "at least one dimension", given: [shape, other.shape])
    }
    let k = other.shape[max(0, other.shape.count - 2)]
    guard shape.last == k else {
      throw .factors(shape, other.shape, columns: shape.last ?? 0, rows: k)
    }
    if shape.count == 1 {
      let product = try reshape([1, k]).matmul(other)
      let drop = product.shape.count - (other.shape.count == 1 ? 1 : 2)
      return try product.reshape(product.shape.enumerated().filter { $0.0 != drop }.map(\.1))
    }
    if other.shape.count == 1 {
      let product = try matmul(other.reshape([k, 1]))
      return try product.reshape(Array(product.shape.dropLast()))
    }
    let plan = try MatrixPlan(self, other)
    let output = try Tensor.result(plan.shape, for: "matmul")
    try plan.multiply(pointer, other.pointer, into: output.pointer)
    guard Tensor.records(self, other) else { return output }
    let (left, right) = (SavedValues(self), SavedValues(other))
    return .recorded("matmul", [self, other], output) { g, into in
      if let target = into[0] {
        try plan.addLeftGradient(g, try right.pointer(for: "matmul"), to: target)
      }
      if let target = into[1] {
        try plan.addRightGradient(g, try left.pointer(for: "matmul"), to: target)
      }
    }
  }
}

/// A batched product as single products of [m, k] by [k, n], with the offsets of their factors.
private struct MatrixPlan {
  let shape: [Int]
  let m: Int
  let n: Int
  let k: Int
  /// How the batch dimensions broadcast; nil for a single product.
  private let batch: Broadcast?
  /// The number of products.
  private let count: Int

  init(_ a: Tensor, _ b: Tensor) throws(TensorError) {
    (k, n) = (b.shape[b.shape.count - 2], b.shape[b.shape.count - 1])
    if b.shape.count == 2 {
      // All rows of a are multiplied by the same matrix: one large product.
      m = a.shape.dropLast().reduce(1, *)
      shape = a.shape.dropLast() + [n]
      (batch, count) = (nil, m == 0 || n == 0 ? 0 : 1)
    } else {
      m = a.shape[a.shape.count - 2]
      let batch = try Broadcast(
        shapes: Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)), for: "matmul")
      shape = batch.shape + [m, n]
      let total = try Tensor.checkedCount(shape, for: "matmul")
      (self.batch, count) = (batch, total == 0 ? 0 : total / (m * n))
    }
  }

  /// The indices of the two matrices of product `index`.
  private func pair(_ index: Int) -> (left: Int, right: Int) {
    guard let batch else { return (0, 0) }
    let (row, place) = index.quotientAndRemainder(dividingBy: batch.row.size)
    let start = batch.offsets(row)
    return (start.left + place * batch.row.left, start.right + place * batch.row.right)
  }

  private var size: ProductSize { ProductSize(m: m, n: n, k: k) }

  /// Calls `body` with the offsets of all products; those that add to the same matrix are called in
  /// order.
  private func forEach(
    isRepeated: Bool = false,
    _ body: (_ left: Int, _ right: Int, _ result: Int) throws(TensorError) -> Void
  ) throws(TensorError) {
    let failure = Mutex<TensorError?>(nil)
    // A large product is split over the threads; of many small ones, each thread takes some.
    let grain = 100_000 / max(1, m * n * k) + 1
    let isSerial = isRepeated || count < Team.shared.threads * 2
    Team.shared.forEach(count, atLeast: isSerial ? count : grain) { range in
      for index in range where failure.withLock({ $0 }) == nil {
        let (left, right) = pair(index)
        do throws(TensorError) {
          try body(left * m * k, right * k * n, index * m * n)
        } catch {
          failure.withLock { $0 = error }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>
  ) throws(TensorError) {
    try forEach { left, right, result throws(TensorError) in
      try size.multiply(a + left, b + right, into: c + result)
    }
  }

  /// da += g bᵀ; the gradients of a broadcast matrix are added in order.
  func addLeftGradient(
    _ g: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) throws(TensorError) {
    try forEach(isRepeated: batch?.repeats(.left) ?? false) {
      left, right, result throws(TensorError) in
      try size.addLeftGradient(g + result, b + right, to: target + left)
    }
  }

  /// db += aᵀ g.
  func addRightGradient(
    _ g: UnsafePointer<Float>, _ a: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) throws(TensorError) {
    try forEach(isRepeated: batch?.repeats(.right) ?? false) {
      left, right, result throws(TensorError) in
      try size.addRightGradient(g + result, a + left, to: target + right)
    }
  }
}
