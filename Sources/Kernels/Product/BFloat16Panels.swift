// Weights packed as bfloat16 for the product: half the bytes of float32, and the only copy that a
// frozen matrix needs.
//
// The layout is that of `multiplyPacked` with 32 columns in 16 words: column c of a panel is the
// low half of word c, column c + 16 the high half of word c, so that shifting or masking one vector
// of words gives sixteen floats.

/// A matrix W [n, k] packed as bfloat16: rows are outputs of the product, columns its inputs.
public struct BFloat16Panels {
  private let halves: UnsafeMutablePointer<UInt16>
  private let n: Int
  private let k: Int

  /// The panels at `pointer`, which holds `packedCount(rows: n, columns: k)` halves.
  public init(_ pointer: UnsafeMutableRawPointer, n: Int, k: Int) {
    halves = pointer.assumingMemoryBound(to: UInt16.self)
    (self.n, self.k) = (n, k)
  }

  /// The same memory as words, for `multiplyPacked`.
  public var words: UnsafePointer<UInt32> {
    UnsafeRawPointer(halves).assumingMemoryBound(to: UInt32.self)
  }

  /// The start of an output's weights; successive inputs are 32 halves apart.
  @inline(__always)
  private func start(_ output: Int) -> Int {
    output / panelWidth * k * panelWidth + output % 16 * 2 + output % panelWidth / 16
  }

  /// Rounds the weights [outputs, k] of some outputs.
  public func store(outputs: Range<Int>, from source: UnsafePointer<Float>) {
    // Pieces of the panel that stay in the L1 cache while all columns are written.
    for first in stride(from: 0, to: k, by: 256) {
      for output in outputs {
        let row = source + (output - outputs.lowerBound) * k
        let target = halves + start(output)
        for i in first..<min(first + 256, k) { target[i * panelWidth] = bfloat16(row[i]) }
      }
    }
  }

  /// Returns the weights [outputs, k] of some outputs.
  public func load(outputs: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    for output in outputs {
      let row = target + (output - outputs.lowerBound) * k
      let source = halves + start(output)
      for i in 0..<k { row[i] = float(bfloat16: source[i * panelWidth]) }
    }
  }

  /// Rounds the weights [inputs, n] of some inputs.
  public func store(inputs: Range<Int>, from source: UnsafePointer<Float>) {
    for input in inputs {
      let row = source + (input - inputs.lowerBound) * n
      for output in 0..<n { halves[start(output) + input * panelWidth] = bfloat16(row[output]) }
    }
  }

  /// Returns the weights [inputs, n] of some inputs.
  public func load(inputs: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    for input in inputs {
      let row = target + (input - inputs.lowerBound) * n
      for output in 0..<n {
        row[output] = float(bfloat16: halves[start(output) + input * panelWidth])
      }
    }
  }

  /// Packs Wᵀ [k, n] as float32, the panels in `panels`: for the gradient of the product's input.
  public func packTransposed(panels: Range<Int>, into packed: UnsafeMutablePointer<Float>) {
    for panel in panels {
      let destination = packed + panel * n * panelWidth
      let first = panel * panelWidth
      let width = min(panelWidth, k - first)
      if width < panelWidth { destination.update(repeating: 0, count: n * panelWidth) }
      for output in 0..<n {
        let source = halves + start(output) + first * panelWidth
        for i in 0..<width {
          destination[output * panelWidth + i] = float(bfloat16: source[i * panelWidth])
        }
      }
    }
  }
}
