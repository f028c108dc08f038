import COpenBLAS
import Kernels

// Products by OpenBLAS: the large ones of training's backward pass and of `matmul`.
//
// OpenBLAS runs on one thread; the team cuts the result into blocks whose size depends on the shape alone, so that
// the result does not depend on the number of threads.

private let oneThread: Void = openblas_set_num_threads(1)

/// Whether a factor of `gemm` is used as it is stored or transposed.
public enum Transposed: Sendable {
  case no, yes

  fileprivate var blas: CBLAS_TRANSPOSE { self == .no ? CblasNoTrans : CblasTrans }
}

/// c = a b + beta c, row-major: a is [m, k], b is [k, n], c is [m, n] after transposition.
///
/// `lda`, `ldb`, `ldc` are the distances of rows as stored.
public func gemm(
  _ transA: Transposed, _ transB: Transposed, m: Int, n: Int, k: Int,
  _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>, ldb: Int,
  beta: Float, _ c: UnsafeMutablePointer<Float>, ldc: Int
) {
  guard m > 0, n > 0 else { return }
  guard k > 0 else { return scaleRows(c, m: m, n: n, ldc: ldc, by: beta) }
  _ = oneThread
  let byRows = m >= n
  let chunks = blocks(byRows ? m : n, size: blockSize(byRows ? m : n))
  let grain = m * n * k < 200_000 ? chunks.count : 1
  Team.shared.forEach(chunks.count, atLeast: grain) { range in
    for chunk in chunks[range] {
      let rows = byRows ? chunk : 0..<m
      let columns = byRows ? 0..<n : chunk
      cblas_sgemm(
        CblasRowMajor, transA.blas, transB.blas, blasint(rows.count), blasint(columns.count),
        blasint(k), 1, a + rows.lowerBound * (transA == .no ? lda : 1), blasint(lda),
        b + columns.lowerBound * (transB == .no ? 1 : ldb), blasint(ldb), beta,
        c + rows.lowerBound * ldc + columns.lowerBound, blasint(ldc))
    }
  }
}

/// Up to 16 blocks of at least 64 and, for the kernel's sake, a multiple of 16.
private func blockSize(_ count: Int) -> Int {
  max(64, (count + 15) / 16 + 15) / 16 * 16
}

private func scaleRows(
  _ c: UnsafeMutablePointer<Float>, m: Int, n: Int, ldc: Int, by beta: Float
) {
  for row in 0..<m {
    // As in BLAS, beta = 0 overwrites c, which may be uninitialised.
    if beta == 0 { (c + row * ldc).update(repeating: 0, count: n) }
    scale(beta, c + row * ldc, into: c + row * ldc, n)
  }
}
