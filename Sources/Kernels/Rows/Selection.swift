// Selection from a row of logits or weights: largest value, values above a threshold, and a heap
// for top-k and top-p.

/// y[i] = exp(x[i] / divisor - shift), returning the sum of the y; `x` and `y` may be the same row.
public func exponential(
  _ x: UnsafePointer<Float>, over divisor: Float, minus shift: Float,
  into y: UnsafeMutablePointer<Float>, _ count: Int
) -> Float {
  var total = Vector.zero
  var i = 0
  while i + 16 <= count {
    let value = exponential(Vector(at: x + i) / divisor - shift)
    value.store(to: y + i)
    total += value
    i += 16
  }
  if i < count {
    let rest = Vector(at: x + i, count: count - i, filler: -.infinity)
    let value = exponential(rest / divisor - shift)
    value.store(to: y + i, count: count - i)
    total += value
  }
  return total.total
}

/// The largest value of a row, -infinity for an empty one, and whether the row holds a NaN.
public func maximumAndNaN(_ row: UnsafePointer<Float>, _ count: Int) -> (
  largest: Float, hasNaN: Bool
) {
  var largest = Vector(repeating: -.infinity)
  var marks = Vector.zero
  var i = 0
  while i + 16 <= count {
    let value = Vector(at: row + i)
    largest = maximum(largest, value)
    marks = marks.replacing(with: 1, where: value .!= value)
    i += 16
  }
  if i < count {
    let value = Vector(at: row + i, count: count - i, filler: -.infinity)
    largest = maximum(largest, value)
    marks = marks.replacing(with: 1, where: value .!= value)
  }
  return (largest.largest, marks.total > 0)
}

/// The first index in `range` of a value above `threshold`, or the range's end.
@inlinable
public func firstIndex(_ row: UnsafePointer<Float>, _ range: Range<Int>, above threshold: Float)
  -> Int
{
  var i = range.lowerBound
  while i + 16 <= range.upperBound, !any(Vector(at: row + i) .> threshold) { i += 16 }
  while i < range.upperBound, !(row[i] > threshold) { i += 1 }
  return i
}

/// Calls `body` with the indices of the values that are at least `threshold`, in order.
///
/// `body` may write to the row at indices up to the one it is called with.
@inlinable @inline(__always)
public func forEachIndex(
  _ row: UnsafePointer<Float>, _ count: Int, atLeast threshold: Float, _ body: (Int) -> Void
) {
  var i = 0
  while i + 16 <= count {
    if any(Vector(at: row + i) .>= threshold) {
      for j in i..<i + 16 where row[j] >= threshold { body(j) }
    }
    i += 16
  }
  for j in i..<count where row[j] >= threshold { body(j) }
}

/// Orders values so that none is larger than its parent, i's parent being (i - 1) / 2.
public func heapify(_ heap: UnsafeMutablePointer<Float>, _ count: Int) {
  for root in stride(from: count / 2 - 1, through: 0, by: -1) { siftDown(heap, root, count) }
}

/// Sifts the value at `root` down to restore the heap.
@inlinable
public func siftDown(_ heap: UnsafeMutablePointer<Float>, _ root: Int, _ count: Int) {
  guard root < count else { return }
  let value = heap[root]
  var hole = root
  while true {
    var child = 2 * hole + 1
    guard child < count else { break }
    if child + 1 < count, heap[child + 1] > heap[child] { child += 1 }
    guard heap[child] > value else { break }
    heap[hole] = heap[child]
    hole = child
  }
  heap[hole] = value
}
