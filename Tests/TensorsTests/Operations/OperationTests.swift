import Glibc
import TestSupport
import Testing

@testable import Tensors

/// What the table and PyTorch's values do not show: long inputs, other numbers of threads, hostile
/// arguments.
@Suite(.serialized) struct OperationTests {
  private func random(_ shape: [Int], _ seed: UInt64 = 1) throws -> Tensor {
    var stream = RandomStream(seed: seed)
    return try Tensor.randn(shape, from: &stream)
  }

  /// The largest distance, relative to the largest expected value.
  private func distance(_ given: Tensor, _ expected: [Double]) -> Double {
    let largest = expected.reduce(1e-30) { max($0, abs($1)) }
    return Swift.zip(given.values, expected).reduce(0) {
      max($0, abs(Double($1.0) - $1.1) / largest)
    }
  }

  @Test func productsEqualTheSumInDoubles() throws {
    let (m, k, n) = (70, 300, 90)
    let a = try random([2, m, k])
    let b = try random([2, k, n], 2)
    var expected = [Double](repeating: 0, count: 2 * m * n)
    for i in 0..<2 * m {
      for j in 0..<n {
        for p in 0..<k {
          expected[i * n + j] +=
            Double(a.pointer[i * k + p]) * Double(b.pointer[(i / m * k + p) * n + j])
        }
      }
    }
    #expect(try distance(a.matmul(b), expected) < 1e-6)
  }

  @Test func longRowsKeepTheirAccuracy() throws {
    let n = 1_000_003
    let x = try random([n])
    let numbers = x.values.map(Double.init)
    // All terms near 1: a single-precision sum one by one would be off by percents.
    let ones = try x * 1e-3 + 1
    let total = ones.values.reduce(0) { $0 + Double($1) }
    #expect(try abs(Double(ones.sum().item()) / total - 1) < 1e-7)
    #expect(try abs(Double(ones.reshape([n, 1]).sum(dim: 0).item()) / total - 1) < 1e-7)
    #expect(try abs(Double(ones.mean().item()) / (total / Double(n)) - 1) < 1e-7)
    let exponentials = numbers.map(exp)
    let sum = exponentials.reduce(0, +)
    #expect(try abs(Double(x.logsumexp().item()) - log(sum)) < 2e-6)
    #expect(try distance(x.softmax(), exponentials.map { $0 / sum }) < 1e-6)
    #expect(try distance(x.logSoftmax(), numbers.map { $0 - log(sum) }) < 1e-6)
  }

  @Test func columnsKeepTheirAccuracy() throws {
    let x = try random([50_000, 3]) * 1e-3 + 1
    let expected = (0..<3).map { column in
      (0..<50_000).reduce(0) { $0 + Double(x.pointer[$1 * 3 + column]) }
    }
    #expect(try distance(x.sum(dim: 0), expected) < 1e-7)
    // The gradient of a broadcast operand is such a sum.
    let row = try Tensor.zeros([3])
    try row.setRequiresGradient(true)
    try (row * x).sum().backward()
    #expect(distance(try #require(row.gradient), expected) < 1e-7)
  }

  @Test func theNumberOfThreadsChangesNoBit() throws {
    let before = Team.shared
    defer { Team.shared = before }
    func results(_ threads: Int) throws -> [[Float]] {
      Team.shared = Team(threads: threads)
      let x = try random([300, 700])
      let row = try random([700], 2)
      let column = try random([300, 1], 3)
      for leaf in [x, row, column] { try leaf.setRequiresGradient(true) }
      let y = try (x * row + column).tanh().softmax(dim: 1)
      let z = try y.logsumexp(dim: 0) + x.maximum(dim: 0)
      let product = try x.matmul(x.transpose(0, 1))
      try (z.sum() + product.mean() + x.std(dim: 0).sum()).backward()
      return [y, z, product].map(\.values) + [x, row, column].compactMap { $0.gradient?.values }
    }
    let expected = try results(1)
    #expect(try results(2) == expected)
    #expect(try results(5) == expected)
  }

  @Test func clampPassesTheGradientAtItsBounds() throws {
    let x = Tensor([-1, -0.5, 0.5, 1], shape: [4])
    try x.setRequiresGradient(true)
    try x.clamp(min: -0.5, max: 0.5).sum().backward()
    #expect(x.gradient?.values == [0, 1, 1, 0])
  }

  @Test func viewsShareAndCopiesDoNot() throws {
    let x = Tensor([1, 2, 3, 4], shape: [2, 2])
    #expect(try x.select(1).storage === x.storage)
    #expect(try x.narrow(dim: 0, start: 1, length: 1).storage === x.storage)
    #expect(try x.clone().storage !== x.storage)
    let row = try x.select(1)
    #expect(row.values == [3, 4])
    #expect(try row.select(1).item() == 4)
  }

  /// Every operation on every pair of odd tensors with odd dimensions works or throws.
  @Test func nothingTraps() throws {
    let shapes: [[Int]] = [
      [], [0], [1], [3], [0, 3], [3, 0], [2, 3], [3, 2], [2, 0, 3], [1, 3, 1],
    ]
    let numbers: [Float] = [.nan, .infinity, -.infinity, 0, -1, 1e30, 2.5]
    let tensors = shapes.map { shape in
      let tensor = Tensor(zeros: shape)
      for i in 0..<tensor.count { tensor.pointer[i] = numbers[i % numbers.count] }
      return tensor
    }
    let dims: [Int?] = [nil, -1, 0, 1, 2, 3, .max, .min]
    for leaf in tensors { try leaf.setRequiresGradient(true) }
    for a in tensors {
      for dim in dims {
        for operation in unaryOperations(dim) { attempt { try operation(a) } }
      }
      for b in tensors {
        for operation in binaryOperations { attempt { try operation(a, b) } }
      }
    }
  }

  private func attempt(_ body: () throws -> Tensor) {
    guard let output = try? body() else { return }
    #expect(output.shape.reduce(1, *) == output.count)
    _ = String(describing: output)
    if output.requiresGradient {
      try? output.backward(seed: Tensor(zeros: output.shape))
    }
  }

  private typealias Unary = (Tensor) throws -> Tensor

  private func unaryOperations(_ dim: Int?) -> [Unary] {
    elementwise + reductions(dim) + changesOfShape(dim ?? 0)
  }

  private var elementwise: [Unary] {
    [
      { try -$0 }, { try $0.exp() }, { try $0.log() }, { try $0.sqrt() }, { try $0.tanh() },
      { try $0.abs() }, { try $0.relu() }, { try $0.sigmoid() }, { try $0.clone() },
      { try $0.clamp(min: .nan, max: 1) }, { try $0.pow(2) }, { try $0.pow(0.5) },
    ]
  }

  private func reductions(_ dim: Int?) -> [Unary] {
    [
      { try $0.sum(dim: dim) }, { try $0.mean(dim: dim, keepdim: true) }, { try $0.var(dim: dim) },
      { try $0.std(dim: dim) }, { try $0.maximum(dim: dim) }, { try $0.minimum(dim: dim) },
      { try $0.argmax(dim: dim) }, { try $0.argmin(dim: dim, keepdim: true) },
      { try $0.logsumexp(dim: dim) }, { try $0.softmax(dim: dim) }, { try $0.logSoftmax(dim: dim) },
      { try $0.cumsum(dim: dim ?? 0) },
    ]
  }

  private func changesOfShape(_ d: Int) -> [Unary] {
    [
      { try $0.transpose(d, 1) }, { try $0.squeeze(dim: d) }, { try $0.unsqueeze(dim: d) },
      { try $0.select(d) }, { try $0.reshape([d, -1]) }, { try $0.reshape([-1, d]) },
      { try $0.reshape([]) }, { try $0.expand([d, 2, 3]) }, { try $0.expand([-1]) },
      { try $0.narrow(dim: d, start: 0, length: 1) },
      { try $0.narrow(dim: 0, start: d, length: d) }, { try Tensor.stack([$0, $0], dim: d) },
      { try Tensor.cat([$0, $0], dim: d) }, { _ in try Tensor.zeros([d, d, d]) },
    ]
  }

  private var binaryOperations: [(Tensor, Tensor) throws -> Tensor] {
    [
      { try $0 + $1 }, { try $0 - $1 }, { try $0 * $1 }, { try $0 / $1 }, { try $0.pow($1) },
      { try $0.maximum($1) }, { try $0.minimum($1) }, { try $0.matmul($1) }, { try $0.eq($1) },
      { try $0.where($1, $0) }, { try $0.gather(dim: 0, index: $1) }, { try $0.le($1) },
      { try $0.gather(dim: 1, index: $1) }, { try Tensor.cat([$0, $1]) },
      { try Tensor.stack([$0, $1]) }, { try $0.expand($1.shape) }, { try $0.reshape($1.shape) },
    ]
  }
}
