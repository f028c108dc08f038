import Core
import Glibc
import Kernels
import Synchronization

/// Cosines and sines of the rotary embedding for positions 0, 1, …, computed as positions are first
/// used.
///
/// Angles are position × frequency in single precision, as Hugging Face computes them.
public final class RotaryTable: Sendable {
  /// Half of the head size: angles per position.
  public let half: Int
  private let frequencies: [Float]
  private let scale: Float
  private let made: Mutex<Angles?> = Mutex(nil)

  /// Cosines and sines [positions, half]; part of the model, so not counted among the tensors that
  /// scripts hold.
  final class Angles: @unchecked Sendable {
    let cosines: UnsafeMutablePointer<Float>
    let sines: UnsafeMutablePointer<Float>
    fileprivate let count: Int
    private let block: FreedBlocks.Block

    fileprivate init(_ count: Int) throws(TensorError) {
      try Memory.require(bytes: 8 * count, for: "rotary")
      guard let block = FreedBlocks.take(max(FreedBlocks.smallest, 8 * count)) else {
        throw TensorError.outOfMemory(Memory.shortage(bytes: 8 * count, for: "rotary"))
      }
      self.block = block
      cosines = block.pointer.bindMemory(to: Float.self, capacity: 2 * count)
      sines = cosines + count
      self.count = count
    }

    deinit { FreedBlocks.give(block) }
  }

  /// The table for heads of twice as many floats as there are frequencies, its cosines and sines
  /// multiplied by `scale`.
  public init(frequencies: [Float], scale: Float = 1) {
    half = frequencies.count
    self.frequencies = frequencies
    self.scale = scale
  }

  /// The table up to `position` or beyond. It stays valid while another thread makes a longer one.
  ///
  /// Throws where memory is short.
  func angles(through position: Int) throws(TensorError) -> Angles {
    try made.withLock { (made) throws(TensorError) -> Angles in
      if let made, made.count > position * half || half == 0 { return made }
      let angles = try longer(made, positions: (position / 256 + 1) * 256)
      made = angles
      return angles
    }
  }

  private func longer(_ made: Angles?, positions: Int) throws(TensorError) -> Angles {
    let count = positions * half
    let angles = try Angles(count)
    let before = made?.count ?? 0
    if let made {
      angles.cosines.update(from: made.cosines, count: before)
      angles.sines.update(from: made.sines, count: before)
    }
    for index in before..<count {
      let angle = Double(Float(index / half) * frequencies[index % half])
      angles.cosines[index] = Float(cos(angle)) * scale
      angles.sines[index] = Float(sin(angle)) * scale
    }
    return angles
  }
}

extension Tensor {
  /// Rotates every head of x [N, H·D] by the angles of its row's position (arXiv 2104.09864), times
  /// the table's scale.
  public static func rotary(_ x: Tensor, positions: [Int], _ table: RotaryTable) throws(TensorError)
    -> Tensor
  {
    let size = table.half * 2
    guard x.shape.count == 2, x.shape[0] == positions.count, x.shape[1] % max(1, size) == 0 else {
      throw .shapes(
        operation: "rotary", expected: "[\(positions.count), heads x \(size)]", given: [x.shape])
    }
    let angles = try table.angles(through: positions.max() ?? 0)
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
    Team.shared.forEach(positions.count, atLeast: rowGrain(width)) { rows in
      for row in rows {
        let angle = positions[row] * (size / 2)
        for head in stride(from: row * width, to: (row + 1) * width, by: size) {
          rotate(
            x + head, cosines: angles.cosines + angle, sines: angles.sines + angle,
            direction: direction, into: y + head, size, adding: adding)
        }
      }
    }
  }
}
