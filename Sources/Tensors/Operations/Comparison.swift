import Kernels

// Comparisons, broadcast: 1 where true and 0 elsewhere. They have no gradient, and NaN is equal to
// nothing.

extension Tensor {
  /// 1 where self = other.
  public func eq(_ other: Tensor) throws(TensorError) -> Tensor {
    try Tensor.zipped("eq", self, other) { truth($0 .== $1) }.0
  }

  /// 1 where self ≠ other.
  public func ne(_ other: Tensor) throws(TensorError) -> Tensor {
    try Tensor.zipped("ne", self, other) { truth($0 .!= $1) }.0
  }

  /// 1 where self > other.
  public func gt(_ other: Tensor) throws(TensorError) -> Tensor {
    try Tensor.zipped("gt", self, other) { truth($0 .> $1) }.0
  }

  /// 1 where self < other.
  public func lt(_ other: Tensor) throws(TensorError) -> Tensor {
    try Tensor.zipped("lt", self, other) { truth($0 .< $1) }.0
  }

  /// 1 where self ≥ other.
  public func ge(_ other: Tensor) throws(TensorError) -> Tensor {
    try Tensor.zipped("ge", self, other) { truth($0 .>= $1) }.0
  }

  /// 1 where self ≤ other.
  public func le(_ other: Tensor) throws(TensorError) -> Tensor {
    try Tensor.zipped("le", self, other) { truth($0 .<= $1) }.0
  }
}

@inline(__always)
private func truth(_ mask: SIMDMask<Vector.MaskStorage>) -> Vector {
  Vector.zero.replacing(with: 1, where: mask)
}
