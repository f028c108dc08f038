import Core
import Kernels

// Indexing, slicing, `cat`, `stack`, `gather`. Positions are 0-based here; `ApoLua` makes them
// 1-based in error texts.

extension Tensor {
  /// Sub-tensor number `index` of the first dimension, a view; a scalar for a tensor of one
  /// dimension.
  public func select(_ index: Int) throws(TensorError) -> Tensor {
    guard let size = shape.first else {
      throw .position(index, shape: shape)
    }
    guard index >= 0, index < size else {
      throw .position(index, shape: shape)
    }
    return part("index", at: index * (count / size), Array(shape.dropFirst()))
  }

  /// Positions `start ..< start + length` of dimension `dim`; a view where all outer sizes are 1.
  public func narrow(dim: Int, start: Int, length: Int) throws(TensorError) -> Tensor {
    try checkDimension(dim, for: "narrow")
    let size = shape.isEmpty ? 1 : shape[dim]
    guard !shape.isEmpty, start >= 0, length >= 0, start <= size, length <= size - start else {
      throw .range(start: start, length: length, dimension: dim, size: size, shape: shape)
    }
    var result = shape
    result[dim] = length
    let view = try AxisView(self, along: dim, for: "narrow")
    if view.outer == 1 { return part("narrow", at: start * view.inner, result) }
    let output = try Tensor.result(result, for: "narrow")
    let block = Block(
      rows: view.outer, width: length * view.inner, stride: size * view.inner,
      offset: start * view.inner)
    try block.copy(from: pointer, to: output.pointer)
    guard Tensor.records(self) else { return output }
    return .recorded("narrow", [self], output) { g, into in
      if let target = into[0] { try block.addBack(g, to: target) }
    }
  }

  /// The `shape` that begins at element `start`, as a view.
  private func part(_ name: String, at start: Int, _ shape: [Int]) -> Tensor {
    let output = Tensor(storage: storage, offset: offset + start, shape: shape)
    guard Tensor.records(self) else { return output }
    let count = output.count
    return .recorded(name, [self], output) { g, into in
      guard let target = into[0] else { return }
      try forElements(count) { range in
        Kernels.add(g + range.lowerBound, to: target + start + range.lowerBound, range.count)
      }
    }
  }

  /// Concatenates tensors along `dim`; their other sizes must agree.
  public static func cat(_ tensors: [Tensor], dim: Int = 0) throws(TensorError) -> Tensor {
    guard let first = tensors.first else { throw .noTensors(operation: "cat") }
    guard !first.shape.isEmpty else { throw .scalarsInCat }
    try first.checkDimension(dim, for: "cat")
    var shape = first.shape
    shape[dim] = 0
    for (position, tensor) in tensors.enumerated() {
      guard tensor.shape.count == shape.count,
        shape.indices.allSatisfy({ $0 == dim || tensor.shape[$0] == shape[$0] })
      else {
        throw .unequalShapes(
          operation: "cat", first.shape, tensor.shape, index: position, dimension: dim)
      }
      // Sizes of tensors without elements can overflow when added; `result` throws on the wrapped
      // size.
      shape[dim] &+= tensor.shape[dim]
    }
    return try concatenated("cat", tensors, shape, dim)
  }

  private static func concatenated(
    _ name: String, _ tensors: [Tensor], _ shape: [Int], _ dim: Int
  ) throws(TensorError) -> Tensor {
    let output = try result(shape, for: name)
    let rows = shape[..<dim].reduce(1, *)
    let stride = rows == 0 ? 0 : output.count / rows
    var blocks: [Block] = []
    var offset = 0
    for tensor in tensors {
      let width = rows == 0 ? 0 : tensor.count / rows
      blocks.append(Block(rows: rows, width: width, stride: stride, offset: offset))
      offset += width
    }
    for (tensor, block) in Swift.zip(tensors, blocks) {
      try block.copyBack(tensor.pointer, to: output.pointer)
    }
    return recorded(name, tensors, output) { [blocks] g, into in
      for (index, block) in blocks.enumerated() {
        if let target = into[index] { try block.add(from: g, to: target) }
      }
    }
  }

  /// Tensors of one shape along a new dimension `dim`.
  public static func stack(_ tensors: [Tensor], dim: Int = 0) throws(TensorError) -> Tensor {
    guard let first = tensors.first else {
      throw .noTensors(operation: "stack")
    }
    guard dim >= 0, dim <= first.shape.count else {
      throw .dimension(
        operation: "stack", dim, shape: first.shape, count: first.shape.count + 1)
    }
    for (position, tensor) in tensors.enumerated() where tensor.shape != first.shape {
      throw .unequalShapes(
        operation: "stack", first.shape, tensor.shape, index: position, dimension: nil)
    }
    var shape = first.shape
    shape.insert(tensors.count, at: dim)
    return try concatenated("stack", tensors, shape, dim)
  }

  /// result[i, j, …] = self[i, …, index[i, j, …], …] with the index in the place of dimension
  /// `dim`.
  ///
  /// `index` holds 0-based positions as whole numbers. It has as many dimensions as self, none of
  /// them longer but `dim`.
  public func gather(dim: Int, index: Tensor) throws(TensorError) -> Tensor {
    try checkDimension(dim, for: "gather")
    guard index.shape.count == shape.count,
      index.count == 0 || shape.indices.allSatisfy({ $0 == dim || index.shape[$0] <= shape[$0] })
    else {
      throw .gatherShapes(index: index.shape, shape, dimension: dim)
    }
    let output = try Tensor.result(index.shape, for: "gather")
    let sources = try gatherSources(dim, index)
    let (x, y) = (pointer, output.pointer)
    try forEachBlock(sources.count) { for i in $0 { y[i] = x[sources[i]] } }
    return .recorded("gather", [self], output) { g, into in
      guard let target = into[0] else { return }
      try forEachBlock(sources.count) { for i in $0 { target[sources[i]] += g[i] } }
    }
  }
}

extension Tensor {
  /// For each element of `index`, the element of self that `gather` reads; throws on positions
  /// outside.
  func gatherSources(_ dim: Int, _ index: Tensor) throws(TensorError) -> [Int] {
    try Memory.requireBuffer(bytes: index.count * 8, for: "gather")
    guard !shape.isEmpty else { return [try position(index, 0, size: 1, place: [])] }
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropFirst().reversed() {
      strides[axis - 1] = strides[axis] * shape[axis]
    }
    var place = [Int](repeating: 0, count: shape.count)
    var sources: [Int] = []
    sources.reserveCapacity(index.count)
    var base = 0
    for i in 0..<index.count {
      if i % Interrupt.interval == Interrupt.interval - 1 { try Interrupt.poll() }
      let chosen = try position(index, i, size: shape[dim], place: place)
      sources.append(base + chosen * strides[dim])
      var axis = shape.count - 1
      while axis >= 0 {
        place[axis] += 1
        if axis != dim { base += strides[axis] }
        if place[axis] < index.shape[axis] { break }
        if axis != dim { base -= strides[axis] * place[axis] }
        place[axis] = 0
        axis -= 1
      }
    }
    return sources
  }

  private func position(
    _ index: Tensor, _ i: Int, size: Int, place: [Int]
  ) throws(TensorError) -> Int {
    let value = index.pointer[i]
    guard let position = Int(exactly: value), position >= 0, position < size else {
      throw .gatherIndex(value, place: place, size: size)
    }
    return position
  }
}

/// Some columns of a matrix with `rows` rows of `stride` elements: `width` of them from `offset`
/// on.
struct Block {
  let rows: Int
  let width: Int
  let stride: Int
  let offset: Int

  /// part = these columns of `matrix`.
  func copy(from matrix: UnsafePointer<Float>, to part: UnsafeMutablePointer<Float>)
    throws(TensorError)
  {
    try forEachRow { row, columns in
      (part + row * width + columns.lowerBound).update(
        from: matrix + row * stride + offset + columns.lowerBound, count: columns.count)
    }
  }

  /// These columns of `matrix` = part.
  func copyBack(_ part: UnsafePointer<Float>, to matrix: UnsafeMutablePointer<Float>)
    throws(TensorError)
  {
    try forEachRow { row, columns in
      (matrix + row * stride + offset + columns.lowerBound).update(
        from: part + row * width + columns.lowerBound, count: columns.count)
    }
  }

  /// part += these columns of `matrix`.
  func add(from matrix: UnsafePointer<Float>, to part: UnsafeMutablePointer<Float>)
    throws(TensorError)
  {
    try forEachRow { row, columns in
      Kernels.add(
        matrix + row * stride + offset + columns.lowerBound,
        to: part + row * width + columns.lowerBound, columns.count)
    }
  }

  /// These columns of `matrix` += part.
  func addBack(_ part: UnsafePointer<Float>, to matrix: UnsafeMutablePointer<Float>)
    throws(TensorError)
  {
    try forEachRow { row, columns in
      Kernels.add(
        part + row * width + columns.lowerBound,
        to: matrix + row * stride + offset + columns.lowerBound, columns.count)
    }
  }

  /// Calls `body` with each row and parts of its columns, and asks between blocks whether to stop.
  @inline(__always)
  private func forEachRow(_ body: (Int, Range<Int>) -> Void) throws(TensorError) {
    guard width <= Interrupt.interval else {
      for row in 0..<rows { try forEachBlock(width) { body(row, $0) } }
      return
    }
    try forEachBlock(rows, size: Interrupt.interval / max(1, width)) { range in
      for row in range { body(row, 0..<width) }
    }
  }
}
