import Core
import Kernels

// Changes of shape. Tensors are contiguous: what keeps the order of the elements is a view, the
// rest copies.

extension Tensor {
  /// The same elements under another shape, a view; one size may be -1 and is then computed.
  public func reshape(_ sizes: [Int]) throws(TensorError) -> Tensor {
    let shape = try resolved(sizes)
    let output = Tensor(storage: storage, offset: offset, shape: shape)
    guard Tensor.records(self) else { return output }
    let count = count
    return .recorded("reshape", [self], output) { g, into in
      guard let target = into[0] else { return }
      try forElements(count) { range in
        Kernels.add(g + range.lowerBound, to: target + range.lowerBound, range.count)
      }
    }
  }

  private func resolved(_ sizes: [Int]) throws(TensorError) -> [Int] {
    var shape = sizes
    if let unknown = sizes.firstIndex(of: -1) {
      guard sizes.lastIndex(of: -1) == unknown else {
        throw .severalUnknownSizes(self.shape, to: sizes)
      }
      shape[unknown] = 1
      let known = try Tensor.checkedCount(shape, for: "reshape")
      shape[unknown] = known == 0 ? -1 : count / known
    }
    guard !shape.contains(-1), try Tensor.checkedCount(shape, for: "reshape") == count else {
      throw .notReshapable(self.shape, to: sizes)
    }
    return shape
  }

  /// Without dimension `dim`, which must have size 1, or without all dimensions of size 1.
  public func squeeze(dim: Int? = nil) throws(TensorError) -> Tensor {
    guard let dim else { return try reshape(shape.filter { $0 != 1 }) }
    try checkDimension(dim, for: "squeeze")
    guard dim < shape.count, shape[dim] == 1 else { return self }
    return try reshape(Array(shape[..<dim] + shape[(dim + 1)...]))
  }

  /// With a dimension of size 1 inserted before `dim`.
  public func unsqueeze(dim: Int) throws(TensorError) -> Tensor {
    guard dim >= 0, dim <= shape.count else {
      throw .dimension(operation: "unsqueeze", dim, shape: shape, count: shape.count + 1)
    }
    return try reshape(Array(shape[..<dim] + [1] + shape[dim...]))
  }

  /// A copy with dimensions `first` and `second` exchanged.
  public func transpose(_ first: Int, _ second: Int) throws(TensorError) -> Tensor {
    try checkDimension(first, for: "transpose")
    try checkDimension(second, for: "transpose")
    guard first != second else { return self }
    let (low, high) = (min(first, second), max(first, second))
    let swap = AxisSwap(shape, low, high)
    var result = shape
    result.swapAt(low, high)
    let output = try Tensor.result(result, for: "transpose")
    try swap.run(pointer, into: output.pointer, adding: false)
    guard Tensor.records(self) else { return output }
    return .recorded("transpose", [self], output) { g, into in
      if let target = into[0] { try swap.inverse.run(g, into: target, adding: true) }
    }
  }

  /// A copy in which dimensions of size 1 are repeated to reach `sizes`; -1 keeps a size.
  public func expand(_ sizes: [Int]) throws(TensorError) -> Tensor {
    let missing = sizes.count - shape.count
    let wanted = sizes.enumerated().map { axis, size in
      size == -1 && axis >= missing && missing >= 0 ? shape[axis - missing] : size
    }
    if wanted == shape { return self }
    let target = try Tensor.checkedCount(wanted, for: "expand")
    let plan = try? Broadcast(shapes: shape, wanted, for: "expand")
    guard let plan, plan.shape == wanted else {
      throw .notExpandable(shape, to: sizes)
    }
    let output = try Tensor.result(wanted, for: "expand")
    let (x, y) = (pointer, output.pointer)
    if target > 0 {
      try plan.forEachChunk { chunk in
        let row = Row(x + chunk.left, step: plan.row.left)
        zip(row, row, into: y + chunk.offset, chunk.count) { value, _ in value }
      }
    }
    guard Tensor.records(self) else { return output }
    return .recorded("expand", [self], output) { g, into in
      if let target = into[0] { try plan.addReduced(g, .left, to: target) }
    }
  }

  /// A differentiable copy with a storage of its own.
  public func clone() throws(TensorError) -> Tensor {
    let output = try Tensor.result(shape, for: "clone")
    try output.pointer.copy(pointer, count: count)
    guard Tensor.records(self) else { return output }
    let count = count
    return .recorded("clone", [self], output) { g, into in
      guard let target = into[0] else { return }
      try forElements(count) { range in
        Kernels.add(g + range.lowerBound, to: target + range.lowerBound, range.count)
      }
    }
  }
}

/// The exchange of two dimensions: [a, m, b, n, c] becomes [a, n, b, m, c].
private struct AxisSwap {
  let a: Int
  let m: Int
  let b: Int
  let n: Int
  let c: Int

  init(_ shape: [Int], _ low: Int, _ high: Int) {
    a = shape[..<low].reduce(1, *)
    m = shape[low]
    b = shape[(low + 1)..<high].reduce(1, *)
    n = shape[high]
    c = shape[(high + 1)...].reduce(1, *)
  }

  private init(a: Int, m: Int, b: Int, n: Int, c: Int) {
    (self.a, self.m, self.b, self.n, self.c) = (a, m, b, n, c)
  }

  var inverse: AxisSwap { AxisSwap(a: a, m: n, b: b, n: m, c: c) }

  /// Sixteen columns at a time, so that a cache line that was read is used whole.
  func run(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, adding: Bool
  ) throws(TensorError) {
    guard m > 0, b > 0, c > 0 else { return }
    let strips = (n + 15) / 16
    let length = max(1, Interrupt.interval / max(1, min(n, 16)) / c)
    try Team.shared.forEachUntilStopped(
      a * strips, of: m * b * c * 16, atLeast: elementGrain / max(1, m * b * c * 16) + 1
    ) { range in
      for unit in range {
        let (outer, strip) = unit.quotientAndRemainder(dividingBy: strips)
        let columns = strip * 16..<min(n, strip * 16 + 16)
        var left = b * m > length ? length : Int.max
        for k in 0..<b {
          var rows = 0..<min(m, left)
          while true {
            for i in rows {
              let source = x + ((outer * m + i) * b + k) * n * c
              let target = y + (outer * n * b + k) * m * c + i * c
              copy(source, columns, into: target, stride: b * m * c, adding: adding)
            }
            left -= rows.count
            if left == 0 {
              if Interrupt.isRequested() { return }
              left = length
            }
            if rows.upperBound == m { break }
            rows = rows.upperBound..<min(m, rows.upperBound + left)
          }
        }
      }
    }
    if b * m > length { try Interrupt.poll() }
  }

  @inline(__always)
  private func copy(
    _ source: UnsafePointer<Float>, _ columns: Range<Int>,
    into target: UnsafeMutablePointer<Float>, stride: Int, adding: Bool
  ) {
    if c == 1, adding {
      for j in columns { target[j * stride] += source[j] }
    } else if c == 1 {
      for j in columns { target[j * stride] = source[j] }
    } else if adding {
      for j in columns { add(source + j * c, to: target + j * stride, c) }
    } else {
      for j in columns { (target + j * stride).update(from: source + j * c, count: c) }
    }
  }
}
