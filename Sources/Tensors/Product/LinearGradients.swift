import Core
import Kernels

// Gradients of a linear layer's weight and bias.

/// dW = dyᵀ x, or dW += dyᵀ x, for dy [rows, n], x [rows, k] and dW [n, k], in chunks of 512 rows.
///
/// Both factors are packed, because the elements of a column of dy are far apart in memory.
func weightGradient(
  _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, n: Int, k: Int,
  into dw: GradientBuffer
) throws(TensorError) {
  guard rows > 0 else { return dw.clear(n * k) }
  let chunk = min(rows, 512)
  let left = try Storage(count: packedCount(rows: n, columns: chunk), for: "backward")
  let right = try Storage(count: packedCount(rows: k, columns: chunk), for: "backward")
  for part in blocks(rows, size: 512) {
    try Interrupt.poll()
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
      for panel in leftPanels where !Interrupt.isRequested() {
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
  try Interrupt.poll()
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
