import Core
import Kernels

// The largest and smallest elements along one dimension, or of all where `dim` is nil. NaN wins, as
// in PyTorch.

extension Tensor {
  /// The largest elements over `dim`. The gradient goes to the first of them; over all elements,
  /// equal ones share it.
  public func maximum(dim: Int? = nil, keepdim: Bool = false) throws(TensorError) -> Tensor {
    try extreme("max", dim, keepdim, sign: 1)
  }

  /// The smallest elements over `dim`. The gradient goes to the first of them; over all elements,
  /// equal ones share it.
  public func minimum(dim: Int? = nil, keepdim: Bool = false) throws(TensorError) -> Tensor {
    try extreme("min", dim, keepdim, sign: -1)
  }

  /// The 0-based positions of the largest elements along `dim`, the first where there are several.
  public func argmax(dim: Int? = nil, keepdim: Bool = false) throws(TensorError) -> Tensor {
    let view = try AxisView(self, along: dim, keepdim: keepdim, for: "argmax")
    return try indicesOfExtremes("argmax", view, self.detached().asRows(view), sign: 1)
  }

  /// The 0-based positions of the smallest elements along `dim`, the first where there are several.
  public func argmin(dim: Int? = nil, keepdim: Bool = false) throws(TensorError) -> Tensor {
    let view = try AxisView(self, along: dim, keepdim: keepdim, for: "argmin")
    return try indicesOfExtremes("argmin", view, self.detached().asRows(view), sign: -1)
  }

  private func indicesOfExtremes(
    _ name: String, _ view: AxisView, _ rows: Tensor, sign: Float
  ) throws(TensorError) -> Tensor {
    try view.checkNotEmpty(self, for: name)
    let output = try Tensor.result(view.reduced, for: name)
    let (x, y, n) = (rows.pointer, output.pointer, view.n)
    try forRows(view.count, of: n) { range in
      for row in range { y[row] = Float(indexOfExtreme(x + row * n, sign: sign, n)) }
    }
    return output
  }

  private func extreme(
    _ name: String, _ dim: Int?, _ keepdim: Bool, sign: Float
  ) throws(TensorError) -> Tensor {
    let view = try AxisView(self, along: dim, keepdim: keepdim, for: name)
    let rows = try asRows(view)
    try view.checkNotEmpty(self, for: name)
    let output = try Tensor.result(view.reduced, for: name)
    let (x, y, n) = (rows.pointer, output.pointer, view.n)
    try Memory.requireBuffer(bytes: view.count * 16, for: name)
    let winners = UnsafeMutablePointer<Int>.allocate(capacity: view.count)
    defer { winners.deallocate() }
    try forRows(view.count, of: n) { range in
      for row in range {
        winners[row] = row * n + indexOfExtreme(x + row * n, sign: sign, n)
        y[row] = x[winners[row]]
      }
    }
    guard Tensor.records(rows) else { return output }
    if dim == nil { return rows.recordShared(name, output) }
    let chosen = Array(UnsafeBufferPointer(start: winners, count: view.count))
    return .recorded(name, [rows], output) { g, into in
      guard let target = into[0] else { return }
      for (row, winner) in chosen.enumerated() { target[winner] += g[row] }
    }
  }

  /// The extreme of all elements, whose gradient is divided among the elements that are equal to
  /// it.
  private func recordShared(_ name: String, _ output: Tensor) -> Tensor {
    let (input, value, count) = (SavedValues(self), output.pointer[0], count)
    return .recorded(name, [self], output) { g, into in
      guard let target = into[0] else { return }
      let x = try input.pointer(for: name)
      let isEqual = { (i: Int) in x[i] == value || (value.isNaN && x[i].isNaN) }
      var equal = 0
      try forEachBlock(count) { for i in $0 where isEqual(i) { equal += 1 } }
      let share = g[0] / Float(equal)
      try forEachBlock(count) { for i in $0 where isEqual(i) { target[i] += share } }
    }
  }
}
