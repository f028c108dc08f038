import Testing

@testable import Tensors

/// y = a x for a constant a: the smallest operation with a gradient.
private func times(_ a: Float, _ x: Tensor) -> Tensor {
  let y = Tensor(x.values.map { a * $0 }, shape: x.shape)
  return .recorded("times", [x], y) { gradient, into in
    for i in 0..<x.count { into[0]?[i] += a * gradient[i] }
  }
}

private func plus(_ x: Tensor, _ y: Tensor) -> Tensor {
  let z = Tensor(zip(x.values, y.values).map { $0 + $1 }, shape: x.shape)
  return .recorded("plus", [x, y], z) { gradient, into in
    for i in 0..<z.count {
      into[0]?[i] += gradient[i]
      into[1]?[i] += gradient[i]
    }
  }
}

private func leaf(_ value: Float) throws -> Tensor {
  let tensor = Tensor(value)
  try tensor.setRequiresGradient(true)
  return tensor
}

@Suite struct TapeTests {
  @Test func gradientsOfSharedInputsAdd() throws {
    let x = try leaf(2)
    let y = plus(times(3, x), plus(x, times(4, x)))
    try y.backward()
    #expect(x.gradient?.values == [8])
    try times(5, x).backward()
    #expect(x.gradient?.values == [13])
  }

  @Test func separateGraphsJoin() throws {
    let a = try leaf(1)
    let b = try leaf(1)
    let left = times(2, times(3, a))
    let right = times(5, times(7, b))
    let both = plus(left, right)
    let later = times(11, right)
    try plus(both, later).backward()
    #expect(a.gradient?.values == [6])
    #expect(b.gradient?.values == [35 + 35 * 11])
  }

  @Test func aSumOfManyGraphsIsNotQuadratic() throws {
    // Moving the long graph behind each new term would move 2 * 10^8 nodes: minutes.
    let x = try leaf(1)
    for sumFirst in [true, false] {
      var sum = times(1, x)
      for _ in 1..<20_000 { sum = sumFirst ? plus(sum, times(1, x)) : plus(times(1, x), sum) }
      try sum.backward()
      #expect(x.gradient?.values == [20_000])
      x.clearGradient()
    }
  }

  @Test func aFreedGraphSaysSo() throws {
    let x = try leaf(1)
    let y = times(2, x)
    try y.backward()
    let error = #expect(throws: TensorError.self) { try y.backward() }
    #expect(error == .graphFreed(operation: "times"))
    let z = times(2, x)
    try z.backward(retainGraph: true)
    try z.backward()
    #expect(x.gradient?.values == [6])
  }

  @Test func oneBackwardLeavesOtherGraphsAlone() throws {
    let x = try leaf(1)
    let y = times(2, x)
    let first = times(3, y)
    let second = times(5, times(7, x))
    let joined = plus(first, second)
    _ = joined
    try second.backward()
    #expect(x.gradient?.values == [35])
    try first.backward()
    #expect(x.gradient?.values == [41])
  }

  @Test func droppedResultsAreFreed() throws {
    let x = try leaf(1)
    let long = times(2, x)
    let before = Storage.liveBytes
    for _ in 0..<20_000 {
      var t = plus(long, Tensor(Float(1)))
      for _ in 0..<3 { t = times(2, t) }
    }
    #expect(Storage.liveBytes - before < 20_000 * 4)
    try long.backward()
    #expect(x.gradient?.values == [2])
  }

  @Test func withoutGradientsRecordsNothing() throws {
    let x = try leaf(1)
    let y = withoutGradients { times(2, x) }
    #expect(!y.requiresGradient)
    #expect(throws: TensorError.self) { try y.backward() }
  }
}
