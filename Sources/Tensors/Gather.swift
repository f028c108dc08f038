import Kernels

// Helpers of indexing: where `gather` reads, and blocks of columns for `narrow` and `cat`.

extension Tensor {
  /// For each element of `index`, the element of self that `gather` reads; throws on positions outside.
  func gatherSources(_ dim: Int, _ index: Tensor) throws(TensorError) -> [Int] {
    try Memory.check(bytes: index.count * 8, for: "gather")
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
    guard let position = Int(exactly: value) else {
      throw TensorError(
        "gather: index \(value + 1) at position \(scriptPositions(place)) is not a whole number")
    }
    guard position >= 0, position < size else {
      throw TensorError(
        "gather: index \(scriptPosition(position)) at position \(scriptPositions(place)) "
          + "is outside of 1..\(size)")
    }
    return position
  }
}

/// Some columns of a matrix with `rows` rows of `stride` elements: `width` of them from `offset` on.
struct Block {
  let rows: Int
  let width: Int
  let stride: Int
  let offset: Int

  /// part = these columns of `matrix`.
  func copy(from matrix: UnsafePointer<Float>, to part: UnsafeMutablePointer<Float>) {
    for row in 0..<rows {
      (part + row * width).update(from: matrix + row * stride + offset, count: width)
    }
  }

  /// These columns of `matrix` = part.
  func copyBack(_ part: UnsafePointer<Float>, to matrix: UnsafeMutablePointer<Float>) {
    for row in 0..<rows {
      (matrix + row * stride + offset).update(from: part + row * width, count: width)
    }
  }

  /// part += these columns of `matrix`.
  func add(from matrix: UnsafePointer<Float>, to part: UnsafeMutablePointer<Float>) {
    for row in 0..<rows {
      Kernels.add(matrix + row * stride + offset, to: part + row * width, width)
    }
  }

  /// These columns of `matrix` += part.
  func addBack(_ part: UnsafePointer<Float>, to matrix: UnsafeMutablePointer<Float>) {
    for row in 0..<rows {
      Kernels.add(part + row * width, to: matrix + row * stride + offset, width)
    }
  }
}
