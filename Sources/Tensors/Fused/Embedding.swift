import Kernels

extension Tensor {
  /// The rows of `weight` [V, C] at `ids` (0-based): [N, C].
  ///
  /// Precondition: all ids are in 0..<V; the model has checked them.
  public static func embedding(_ ids: [Int], _ weight: Weight) throws(TensorError) -> Tensor {
    let width = weight.shape[1]
    assert(ids.allSatisfy { $0 >= 0 && $0 < weight.shape[0] })
    let y = try result([ids.count, width], for: "embedding")
    switch weight.values {
    case .bfloat16(let matrix):
      for (row, id) in ids.enumerated() {
        matrix.load(rows: id..<id + 1, into: y.pointer + row * width)
      }
      return y
    case .float32(let tensor):
      for (row, id) in ids.enumerated() {
        (y.pointer + row * width).update(from: tensor.pointer + id * width, count: width)
      }
      guard records(tensor) else { return y }
      return recorded("embedding", [tensor], y) { dy, into in
        guard let dw = into[0] else { return }
        for (row, id) in ids.enumerated() {
          Kernels.add(dy + row * width, to: dw + id * width, width)
        }
      }
    }
  }
}
