/// Destination of a gradient: adds to the buffer, or overwrites it if it is uninitialised.
public struct GradientBuffer {
  /// The first float.
  public let pointer: UnsafeMutablePointer<Float>
  /// Whether the buffer holds sums already.
  public let adds: Bool

  /// A buffer from `pointer` on.
  public init(_ pointer: UnsafeMutablePointer<Float>, adds: Bool) {
    self.pointer = pointer
    self.adds = adds
  }

  /// The buffer from index `start` on.
  public func from(_ start: Int) -> GradientBuffer { GradientBuffer(pointer + start, adds: adds) }

  /// Fills `count` floats with zeros unless they hold sums.
  public func clear(_ count: Int) { if !adds { pointer.update(repeating: 0, count: count) } }

  /// Puts the first `lanes` (1 to 16) of a vector at index `i`.
  @inline(__always)
  func put(_ value: Vector, at i: Int, _ lanes: Int = 16) {
    let target = pointer + i
    if lanes == 16 {
      (adds ? Vector(at: target) + value : value).store(to: target)
    } else {
      (adds ? Vector(at: target, count: lanes) + value : value).store(to: target, count: lanes)
    }
  }
}
