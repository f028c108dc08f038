import Core
import Synchronization

// Loops over a script's data, which may be of any size: they ask between blocks whether to stop.
// Loops of a pass over a batch (embeddings, segments, products of matrices) ask between operations.
//
// Only loops that fill new memory, or gradients, stop midway. A change in place (an optimizer's
// step, `fill_`) is made as a whole, so that what is saved after a stop is never half of it.

extension Team {
  /// As `forEach`, but asks about every `Interrupt.interval` elements whether to stop; `size` is
  /// how many elements an iteration goes over. Throws where it was stopped, with iterations left
  /// out.
  func forEachUntilStopped(
    _ count: Int, of size: Int = 1, atLeast grain: Int = 1, _ body: (Range<Int>) -> Void
  ) throws(TensorError) {
    let length = max(1, Interrupt.interval / max(1, size))
    guard count > length else { return forEach(count, atLeast: grain, body) }
    let isStopped = Atomic(false)
    forEach(count, atLeast: grain) { range in
      var start = range.lowerBound
      while start < range.upperBound {
        // Threads do not throw: the caller does when all have ended.
        if Interrupt.isRequested() { return isStopped.store(true, ordering: .relaxed) }
        let end = min(range.upperBound, start + length)
        body(start..<end)
        start = end
      }
    }
    if isStopped.load(ordering: .relaxed) { throw .stopped(.byUser) }
  }
}

/// Calls `body` with the parts of `0..<count` in order, and asks between them whether to stop.
func forEachBlock(
  _ count: Int, size: Int = Interrupt.interval, _ body: (Range<Int>) throws(TensorError) -> Void
) throws(TensorError) {
  var start = 0
  while start < count {
    if start > 0 { try Interrupt.poll() }
    let end = min(count, start + size)
    try body(start..<end)
    start = end
  }
}

/// Elements of a memory copy between two questions: a few milliseconds.
private let copyInterval = 1 << 20

extension UnsafeMutablePointer<Float> {
  /// `update(repeating:count:)` that can be stopped.
  func fill(_ value: Float, count: Int) throws(TensorError) {
    try forEachBlock(count, size: copyInterval) { range in
      (self + range.lowerBound).update(repeating: value, count: range.count)
    }
  }

  /// `update(from:count:)` that can be stopped.
  func copy(_ source: UnsafePointer<Float>, count: Int) throws(TensorError) {
    try forEachBlock(count, size: copyInterval) { range in
      (self + range.lowerBound).update(from: source + range.lowerBound, count: range.count)
    }
  }
}
