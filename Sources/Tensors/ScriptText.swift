// How error texts name things. Positions and dimensions are 0-based in Swift and 1-based in scripts, who read the texts.

/// A 0-based position or dimension as scripts count it.
func scriptPosition(_ index: Int) -> Int { index == .max ? index : index + 1 }

/// 0-based positions as scripts count them: `[1, 3]`.
func scriptPositions(_ indices: [Int]) -> String { describe(indices.map(scriptPosition)) }

/// A shape as error texts write it: `[2, 3]`; shapes of absurd length are cut.
func describe(_ shape: [Int]) -> String {
  shape.count <= 64 ? "\(shape)" : "[\(shape.count) sizes]"
}

extension Tensor {
  /// Throws unless `dim` is a dimension; a scalar counts as having one, as in PyTorch.
  func checkDimension(_ dim: Int, for operation: String) throws(TensorError) {
    let rank = max(1, shape.count)
    guard dim >= 0, dim < rank else {
      throw TensorError(
        "\(operation): dimension \(scriptPosition(dim)) of a tensor of shape \(shape); "
          + "expected 1 to \(rank)")
    }
  }
}
