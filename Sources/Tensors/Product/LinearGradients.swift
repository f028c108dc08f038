import Kernels

// The products of a linear layer with many rows, on the kernel of decoding. Weights that change at every step, or meet
// thousands of rows at once, are not worth a packed copy: each thread packs a few panels into its cache, and all rows pass
// over them. Results do not depend on the number of threads: every element is summed in one order, cut by the shape alone.

/// Bytes of panels that a thread packs at a time: they stay in the second-level cache beside the rows.
private let scratchBytes = 384 << 10

/// y = x Wᵀ, or y += x Wᵀ, for x [rows, k], W [n, k] (stored [k, n] where `isTransposed`) and y [rows, n].
///
/// The bits are those of `PackedMatrix.multiply`. Throws where there is no memory for the panels that threads pack.
func multiply(
  _ x: UnsafePointer<Float>, rows: Int, weight w: UnsafePointer<Float>, n: Int, k: Int,
  isTransposed: Bool, into y: GradientBuffer
) throws(TensorError) {
  guard k > 0 else { return y.clear(rows * n) }
  let panels = panelCount(n)
  // Where not even one panel fits, its sums go on slice by slice.
  let depthStep = min(k, scratchBytes / (panelWidth * 4))
  let group = min(panels, max(1, scratchBytes / (k * panelWidth * 4)))
  try Memory.check(
    bytes: Team.shared.threads * group * depthStep * panelWidth * 4, for: "linear")
  func multiply(_ panels: Range<Int>, _ rows: Range<Int>) {
    let scratch = Storage(count: min(group, panels.count) * depthStep * panelWidth)
    for first in stride(from: panels.lowerBound, to: panels.upperBound, by: group) {
      let some = first..<min(first + group, panels.upperBound)
      for depth in stride(from: 0, to: k, by: depthStep) {
        let count = min(depthStep, k - depth)
        let packed = scratch.pointer - first * count * panelWidth
        if isTransposed {
          packTransposed(w + depth * n, rows: count, columns: n, panels: some, into: packed)
        } else {
          pack(w + depth, rows: n, columns: count, stride: k, panels: some, into: packed)
        }
        multiplyPacked(
          packed, n: n, k: count, panels: some, x: Factor(rows: x, k: k).from(depth), rows: rows,
          y: y.pointer, adding: y.adds || depth > 0)
      }
    }
  }
  // A narrow matrix has too few panels for the team: the rows are shared out instead.
  guard panels > 2 || rows < 64 else {
    let chunks = blocks(rows, size: 64)
    return Team.shared.forEach(chunks.count, atLeast: grain(rows: 64, k: k, panels: panels)) {
      range in
      multiply(
        0..<panels, chunks[range.lowerBound].lowerBound..<chunks[range.upperBound - 1].upperBound)
    }
  }
  Team.shared.forEach(panels, atLeast: grain(rows: rows, k: k)) { multiply($0, 0..<rows) }
}

/// dx = dy W, or dx += dy W, for dy [rows, n], W [n, k] (stored [k, n] where `isTransposed`) and dx [rows, k].
func inputGradient(
  _ dy: UnsafePointer<Float>, rows: Int, weight w: UnsafePointer<Float>, n: Int, k: Int,
  isTransposed: Bool = false, into dx: GradientBuffer
) throws(TensorError) {
  try multiply(dy, rows: rows, weight: w, n: k, k: n, isTransposed: !isTransposed, into: dx)
}

/// dW = dyᵀ x, or dW += dyᵀ x, for dy [rows, n], x [rows, k] and dW [n, k], in chunks of 512 rows.
///
/// Both factors are packed, as the columns of dy lie far apart in memory.
func weightGradient(
  _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, n: Int, k: Int,
  into dw: GradientBuffer
) throws(TensorError) {
  guard rows > 0 else { return dw.clear(n * k) }
  let chunk = min(rows, 512)
  let left = try Storage(count: packedCount(rows: n, columns: chunk), for: "backward")
  let right = try Storage(count: packedCount(rows: k, columns: chunk), for: "backward")
  for part in blocks(rows, size: 512) {
    let (count, first) = (part.count, part.lowerBound)
    let (leftPanels, rightPanels) = (panelCount(n), panelCount(k))
    Team.shared.forEach(leftPanels + rightPanels, atLeast: grain(rows: 1, k: count)) { range in
      packTransposed(
        dy + first * n, rows: count, columns: n, panels: range.clamped(to: 0..<leftPanels),
        into: left.pointer)
      packTransposed(
        x + first * k, rows: count, columns: k,
        panels: (range - leftPanels).clamped(to: 0..<rightPanels),
        into: right.pointer)
    }
    func multiply(_ leftPanels: Range<Int>, _ rightPanels: Range<Int>) {
      for panel in leftPanels {
        multiplyPacked(
          right.pointer, n: k, k: count, panels: rightPanels,
          x: Factor(panel: panel, of: left.pointer, k: count),
          rows: panel * panelWidth..<min(n, (panel + 1) * panelWidth), y: dw.pointer,
          adding: dw.adds || first > 0)
      }
    }
    if leftPanels > rightPanels {
      Team.shared.forEach(leftPanels, atLeast: grain(rows: k, k: count)) {
        multiply($0, 0..<rightPanels)
      }
    } else {
      Team.shared.forEach(rightPanels, atLeast: grain(rows: n, k: count)) {
        multiply(0..<leftPanels, $0)
      }
    }
  }
}

/// dW [width] = the sum of the rows of dy [rows, width], or dW plus it: the gradient of a bias.
func biasGradient(
  _ dy: UnsafePointer<Float>, rows: Int, width: Int, into db: GradientBuffer
) throws(TensorError) {
  let chunks = blocks(rows, size: 256)
  let partial = try Storage(zeros: chunks.count * width, for: "backward")
  Team.shared.forEach(chunks.count, atLeast: max(1, 65_536 / (256 * max(1, width)))) { range in
    for chunk in range {
      for row in chunks[chunk] {
        Kernels.add(dy + row * width, to: partial.pointer + chunk * width, width)
      }
    }
  }
  db.clear(width)
  for chunk in chunks.indices {
    Kernels.add(partial.pointer + chunk * width, to: db.pointer, width)
  }
}

private func - (range: Range<Int>, offset: Int) -> Range<Int> {
  range.lowerBound - offset..<range.upperBound - offset
}

/// Panels of depth k that are worth a thread where `rows` rows meet them: about 3 µs.
///
/// Reading a weight takes as long as ten multiply-adds.
func grain(rows: Int, k: Int, panels: Int = 1) -> Int {
  max(1, 300_000 / max(1, max(rows, 10) * k * panelWidth * panels))
}
