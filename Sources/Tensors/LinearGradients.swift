import Kernels

// The two products of a linear layer's backward pass, on the kernel of the forward pass. Results do not depend on the
// number of threads: every element is summed in one order, cut by the shape alone.

/// dx += dy W for dy [rows, n], W [n, k] (stored [k, n] where `isTransposed`) and dx [rows, k].
func addInputGradient(
  _ dy: UnsafePointer<Float>, rows: Int, weight w: UnsafePointer<Float>, n: Int, k: Int,
  isTransposed: Bool = false, to dx: UnsafeMutablePointer<Float>
) throws(TensorError) {
  let packed = try Storage(count: packedCount(rows: k, columns: n), for: "backward")
  let factor = Factor(rows: dy, k: n)
  Team.shared.forEach(panelCount(k), atLeast: grain(rows * n * panelWidth)) { panels in
    if isTransposed {
      pack(w, rows: k, columns: n, panels: panels, into: packed.pointer)
    } else {
      packTransposed(w, rows: n, columns: k, panels: panels, into: packed.pointer)
    }
    multiplyPacked(
      packed.pointer, n: k, k: n, panels: panels, x: factor, rows: 0..<rows, y: dx, adding: true)
  }
}

/// dW += dyᵀ x for dy [rows, n], x [rows, k] and dW [n, k], in chunks of 512 rows.
func addWeightGradient(
  _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, n: Int, k: Int,
  to dw: UnsafeMutablePointer<Float>
) throws(TensorError) {
  let packed = try Storage(
    count: packedCount(rows: k, columns: min(rows, 512)), for: "backward")
  for chunk in blocks(rows, size: 512) {
    let factor = Factor(columns: dy + chunk.lowerBound * n, rows: n)
    Team.shared.forEach(panelCount(k), atLeast: grain(chunk.count * n * panelWidth)) { panels in
      packTransposed(
        x + chunk.lowerBound * k, rows: chunk.count, columns: k, panels: panels,
        into: packed.pointer)
      multiplyPacked(
        packed.pointer, n: k, k: chunk.count, panels: panels, x: factor, rows: 0..<n, y: dw,
        adding: true)
    }
  }
}

/// Panels worth a thread when one takes `work` multiply-adds: half a million are about 5 µs.
func grain(_ work: Int) -> Int { max(1, 500_000 / max(1, work)) }
