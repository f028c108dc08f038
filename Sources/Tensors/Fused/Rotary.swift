import Glibc
import Kernels
import Synchronization

/// Cosines and sines of the rotary embedding for positions 0, 1, …, made as far as they are needed.
///
/// Angles are position × frequency in single precision, as Hugging Face computes them.
public final class RotaryTable: Sendable {
  /// Half of the head size: angles per position.
  public let half: Int
  private let frequencies: [Float]
  private let scale: Float
  private let made = Mutex(Angles())

  /// Cosines and sines [positions, half].
  struct Angles {
    fileprivate(set) var cosines: [Float] = []
    fileprivate(set) var sines: [Float] = []
  }

  /// The table for heads of twice as many floats as there are frequencies, its cosines and sines multiplied by `scale`.
  public init(frequencies: [Float], scale: Float = 1) {
    half = frequencies.count
    self.frequencies = frequencies
    self.scale = scale
  }

  /// The table up to `position` and beyond; whoever has one keeps it while another thread makes it longer.
  func angles(through position: Int) -> Angles {
    made.withLock { angles in
      let first = angles.cosines.count / max(1, half)
      guard first <= position else { return angles }
      for p in first..<(position / 256 + 1) * 256 {
        for frequency in frequencies {
          let angle = Double(Float(p) * frequency)
          angles.cosines.append(Float(cos(angle)) * scale)
          angles.sines.append(Float(sin(angle)) * scale)
        }
      }
      return angles
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
    let angles = table.angles(through: positions.max() ?? 0)
    let y = try result(x.shape, for: "rotary")
    let width = x.shape[1]
    turn(x.pointer, positions, angles, size, direction: 1, width: width, into: y.pointer)
    return recorded("rotary", [x], y, style: .writing) { dy, into in
      guard let dx = into[0] else { return }
      turn(
        dy, positions, angles, size, direction: -1, width: width, into: dx, adding: !into.isEmpty(0)
      )
    }
  }

  private static func turn(
    _ x: UnsafePointer<Float>, _ positions: [Int], _ angles: RotaryTable.Angles, _ size: Int,
    direction: Float, width: Int, into y: UnsafeMutablePointer<Float>, adding: Bool = false
  ) {
    angles.cosines.withUnsafeBufferPointer { cosines in
      angles.sines.withUnsafeBufferPointer { sines in
        guard let c = cosines.baseAddress, let s = sines.baseAddress else { return }
        Team.shared.forEach(positions.count, atLeast: rowGrain(width)) { rows in
          for row in rows {
            let angle = positions[row] * (size / 2)
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
