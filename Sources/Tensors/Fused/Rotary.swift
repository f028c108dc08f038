import Glibc
import Kernels

/// Cosines and sines of the rotary embedding for positions 0, 1, …, made as far as they are needed.
///
/// Angles are position × frequency in single precision, as Hugging Face computes them.
public final class RotaryTable: @unchecked Sendable {
  /// Half of the head size: angles per position.
  public let half: Int
  private let frequencies: [Float]
  private let scale: Float
  private(set) var cosines: [Float] = []
  private(set) var sines: [Float] = []

  /// The table for heads of twice as many floats as there are frequencies, its cosines and sines multiplied by `scale`.
  public init(frequencies: [Float], scale: Float = 1) {
    half = frequencies.count
    self.frequencies = frequencies
    self.scale = scale
  }

  /// Makes the table reach beyond `position`.
  func extend(through position: Int) {
    for p in cosines.count / max(1, half)..<max(cosines.count / max(1, half), position + 1) {
      for frequency in frequencies {
        let angle = Double(Float(p) * frequency)
        cosines.append(Float(cos(angle)) * scale)
        sines.append(Float(sin(angle)) * scale)
      }
    }
  }
}

extension Tensor {
  /// Turns every head of x [N, H·D] by the angles of its row's position (arXiv 2104.09864), times the table's scale.
  public static func rotary(_ x: Tensor, positions: [Int], _ table: RotaryTable) throws(TensorError)
    -> Tensor
  {
    let size = table.half * 2
    guard x.shape.count == 2, x.shape[0] == positions.count, x.shape[1] % max(1, size) == 0 else {
      throw TensorError("rotary: [\(positions.count), heads x \(size)] expected, got \(x.shape)")
    }
    table.extend(through: positions.max() ?? 0)
    let y = try result(x.shape, for: "rotary")
    let width = x.shape[1]
    turn(x.pointer, positions, table, direction: 1, width: width, into: y.pointer)
    return recorded("rotary", [x], y, style: .writing) { dy, into in
      guard let dx = into[0] else { return }
      turn(
        dy, positions, table, direction: -1, width: width, into: dx, adding: !into.isEmpty(0))
    }
  }

  private static func turn(
    _ x: UnsafePointer<Float>, _ positions: [Int], _ table: RotaryTable, direction: Float,
    width: Int, into y: UnsafeMutablePointer<Float>, adding: Bool = false
  ) {
    let size = table.half * 2
    table.cosines.withUnsafeBufferPointer { cosines in
      table.sines.withUnsafeBufferPointer { sines in
        guard let c = cosines.baseAddress, let s = sines.baseAddress else { return }
        Team.shared.forEach(positions.count, atLeast: rowGrain(width)) { rows in
          for row in rows {
            let angle = positions[row] * table.half
            for head in stride(from: row * width, to: (row + 1) * width, by: size) {
              rotate(
                x + head, cosines: c + angle, sines: s + angle, direction: direction,
                into: y + head, size, adding: adding)
            }
          }
        }
      }
    }
  }
}
