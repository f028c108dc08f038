import Kernels

// Products of matrices, vectors and batches of matrices, by OpenBLAS.

extension Tensor {
  /// The matrix product, as PyTorch's: the last two dimensions are matrices, those before them are broadcast; a tensor
  /// of one dimension is a row on the left and a column on the right, and that dimension is gone from the result.
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
    plan.multiply(pointer, other.pointer, into: output.pointer)
    guard Tensor.records(self, other) else { return output }
    let (left, right) = (SavedValues(self), SavedValues(other))
    return .recorded("matmul", [self, other], output) { g, into in
      if let target = into[0] {
        plan.addLeftGradient(g, try right.pointer(for: "matmul"), to: target)
      }
      if let target = into[1] {
        plan.addRightGradient(g, try left.pointer(for: "matmul"), to: target)
      }
    }
  }
}

/// A batched product as single ones: [m, k] by [k, n], and the offsets of their factors.
private struct MatrixPlan {
  let shape: [Int]
  let m: Int
  let n: Int
  let k: Int
  /// Indices of the matrices that are multiplied.
  let pairs: [(left: Int, right: Int)]

  init(_ a: Tensor, _ b: Tensor) throws(TensorError) {
    (k, n) = (b.shape[b.shape.count - 2], b.shape[b.shape.count - 1])
    let isSingle = b.shape.count == 2
    if isSingle {
      // All rows of a are multiplied by the same matrix: one large product.
      m = a.shape.dropLast().reduce(1, *)
      shape = a.shape.dropLast() + [n]
      pairs = [(0, 0)]
    } else {
      m = a.shape[a.shape.count - 2]
      let batch = try Broadcast(
        shapes: Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)), for: "matmul")
      shape = batch.shape + [m, n]
      _ = try Tensor.checkedCount(shape, for: "matmul")
      let rows = batch.shape.reduce(1, *) == 0 ? 0 : batch.rows
      pairs = (0..<rows).flatMap { index in
        let (left, right) = batch.offsets(index)
        return (0..<batch.row.size).map {
          (left + $0 * batch.row.left, right + $0 * batch.row.right)
        }
      }
    }
    guard max(m, n, k) <= Int(Int32.max) else {
      throw .factorsTooLarge(a.shape, b.shape)
    }
  }

  /// Products per thread below which they are not split.
  private var grain: Int { 100_000 / max(1, m * n * k) + 1 }

  func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>
  ) {
    Team.shared.forEach(pairs.count, atLeast: grain) { range in
      for index in range {
        let (left, right) = pairs[index]
        gemm(
          .no, .no, m: m, n: n, k: k, a + left * m * k, lda: max(1, k), b + right * k * n,
          ldb: max(1, n), beta: 0, c + index * m * n, ldc: max(1, n))
      }
    }
  }

  /// da += g bᵀ; a matrix that was repeated collects its products in order.
  func addLeftGradient(
    _ g: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    let isRepeated = Set(pairs.map(\.left)).count < pairs.count
    Team.shared.forEach(pairs.count, atLeast: isRepeated ? pairs.count : grain) { range in
      for index in range {
        let (left, right) = pairs[index]
        gemm(
          .no, .yes, m: m, n: k, k: n, g + index * m * n, lda: max(1, n), b + right * k * n,
          ldb: max(1, n), beta: 1, target + left * m * k, ldc: max(1, k))
      }
    }
  }

  /// db += aᵀ g.
  func addRightGradient(
    _ g: UnsafePointer<Float>, _ a: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    let isRepeated = Set(pairs.map(\.right)).count < pairs.count
    Team.shared.forEach(pairs.count, atLeast: isRepeated ? pairs.count : grain) { range in
      for index in range {
        let (left, right) = pairs[index]
        gemm(
          .yes, .no, m: k, n: n, k: m, a + left * m * k, lda: max(1, k), g + index * m * n,
          ldb: max(1, n), beta: 1, target + right * k * n, ldc: max(1, n))
      }
    }
  }
}
