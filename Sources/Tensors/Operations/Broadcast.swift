import Kernels

/// How two operands are broadcast, by NumPy's rule: shapes are aligned at their last dimension, and
/// a size of 1 is repeated.
///
/// Adjacent dimensions that behave alike are merged: the most frequent cases (equal shapes, a
/// scalar, a row for every row) are one or two loops. `row` is the innermost loop, whose strides
/// are 0 or 1.
struct Broadcast {
  /// A loop of `size` steps; a step advances the operands by these numbers of elements.
  struct Loop {
    var size: Int
    let left: Int
    let right: Int
  }

  enum Side { case left, right }

  /// The shape of the result.
  let shape: [Int]
  let row: Loop
  /// The loops around `row`, innermost first.
  private let outer: [Loop]

  init(_ a: Tensor, _ b: Tensor, for operation: String) throws(TensorError) {
    if a.shape == b.shape {
      self.init(shape: a.shape, row: Loop(size: a.count, left: 1, right: 1))
    } else if b.count == 1, b.shape.count <= a.shape.count {
      self.init(shape: a.shape, row: Loop(size: a.count, left: 1, right: 0))
    } else if a.count == 1, a.shape.count <= b.shape.count {
      self.init(shape: b.shape, row: Loop(size: b.count, left: 0, right: 1))
    } else {
      try self.init(shapes: a.shape, b.shape, for: operation)
    }
  }

  private init(shape: [Int], row: Loop, outer: [Loop] = []) {
    (self.shape, self.row, self.outer) = (shape, row, outer)
  }

  init(shapes a: [Int], _ b: [Int], for operation: String) throws(TensorError) {
    let rank = max(a.count, b.count)
    var result = [Int](repeating: 1, count: rank)
    var loops: [Loop] = []
    var strides = (left: 1, right: 1)
    for axis in 1...max(1, rank) where axis <= rank {
      let m = axis <= a.count ? a[a.count - axis] : 1
      let n = axis <= b.count ? b[b.count - axis] : 1
      guard m == n || m == 1 || n == 1 else {
        throw .notBroadcastable(operation: operation, a, b)
      }
      let size = m == 1 ? n : m
      result[rank - axis] = size
      if size != 1 {
        let loop = Loop(
          size: size, left: m == 1 ? 0 : strides.left, right: n == 1 ? 0 : strides.right)
        if !Self.merge(loop, into: &loops) { loops.append(loop) }
      }
      strides = (strides.left &* m, strides.right &* n)
    }
    self.init(
      shape: result, row: loops.first ?? Loop(size: 1, left: 0, right: 0),
      outer: Array(loops.dropFirst()))
  }

  /// Merges `loop` into the outermost loop where it continues it.
  private static func merge(_ loop: Loop, into loops: inout [Loop]) -> Bool {
    guard let last = loops.last, loop.left == last.left &* last.size,
      loop.right == last.right &* last.size
    else { return false }
    loops[loops.count - 1].size = last.size &* loop.size
    return true
  }

  /// The number of rows; the result has `rows * row.size` elements.
  var rows: Int { outer.reduce(1) { $0 &* $1.size } }

  /// Whether elements of the operand on `side` are repeated.
  func repeats(_ side: Side) -> Bool {
    let isRepeated = { (loop: Loop) in
      (side == .left ? loop.left : loop.right) == 0 && loop.size != 1
    }
    return isRepeated(row) || outer.contains(where: isRepeated)
  }

  /// Where row number `index` begins in the operands.
  func offsets(_ index: Int) -> (left: Int, right: Int) {
    var rest = index
    var offsets = (left: 0, right: 0)
    for loop in outer {
      let (next, i) = rest.quotientAndRemainder(dividingBy: loop.size)
      offsets.left += i * loop.left
      offsets.right += i * loop.right
      rest = next
    }
    return offsets
  }

  /// A part of a row: its offsets in the result and in the operands.
  struct Chunk {
    let offset: Int
    let left: Int
    let right: Int
    let count: Int
  }

  /// Calls `body` for all chunks of all rows, on the team where there is enough to do.
  @inline(__always)
  func forEachChunk(_ body: (Chunk) -> Void) throws(TensorError) {
    let size = row.size
    if outer.isEmpty, size <= elementGrain {
      if size > 0 { body(Chunk(offset: 0, left: 0, right: 0, count: size)) }
      return
    }
    guard size > 0 else { return }
    let length = 4096
    let chunks = (size + length - 1) / length
    try Team.shared.forEachUntilStopped(
      rows * chunks, of: min(size, length), atLeast: elementGrain / min(size, length) + 1
    ) { range in
      for unit in range {
        let (index, chunk) = unit.quotientAndRemainder(dividingBy: chunks)
        let start = chunk * length
        let (left, right) = offsets(index)
        body(
          Chunk(
            offset: index * size + start, left: left + start * row.left,
            right: right + start * row.right, count: min(length, size - start)))
      }
    }
  }

  /// target += `values` (in the layout of the result), summed over the repeated dimensions of the
  /// operand on `side`.
  func addReduced(
    _ values: UnsafePointer<Float>, scale: Float = 1, _ side: Side,
    to target: UnsafeMutablePointer<Float>
  ) throws(TensorError) {
    var loops = ([row] + outer).map { (size: $0.size, stride: side == .left ? $0.left : $0.right) }
    var values = values
    var holder: Storage?
    while let axis = loops.lastIndex(where: { $0.stride == 0 && $0.size != 1 }) {
      let inner = loops[..<axis].reduce(1) { $0 * $1.size }
      let around = loops[(axis + 1)...].reduce(1) { $0 * $1.size }
      let reduced = try Storage(count: around * inner, for: "backward")
      try sumMiddle(values, outer: around, loops[axis].size, inner: inner, into: reduced.pointer)
      loops.remove(at: axis)
      values = UnsafePointer(reduced.pointer)
      holder = reduced
    }
    let count = loops.reduce(1) { $0 * $1.size }
    try forElements(count) { range in
      addScaled(scale, values + range.lowerBound, to: target + range.lowerBound, range.count)
    }
    withExtendedLifetime(holder) {}
  }
}

/// The least number of elements worth a thread in an element-wise loop.
let elementGrain = 16_384

/// Calls `body` with parts of `0..<count`, on the team where there is enough to do.
@inline(__always)
func forElements(_ count: Int, _ body: (Range<Int>) -> Void) throws(TensorError) {
  if count <= elementGrain {
    body(0..<count)
  } else {
    try Team.shared.forEachUntilStopped(count, atLeast: elementGrain / 2, body)
  }
}
