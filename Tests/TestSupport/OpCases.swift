import Tensors

/// One operation on inputs of given shapes: a row of the table that the gradient tests and the
/// benchmarks run through.
public struct OpCase: Sendable, CustomStringConvertible {
  /// The operation and what is special about the case.
  public let name: String
  /// Shapes of the inputs.
  public let shapes: [[Int]]
  /// The interval that elements are drawn from; operations with a kink or a pole stay away from it.
  public let domain: ClosedRange<Float>
  /// The operation.
  public let body: @Sendable ([Tensor]) throws -> Tensor

  /// A case with elements from `domain`.
  public init(
    _ name: String, _ shapes: [[Int]], in domain: ClosedRange<Float> = -1.5...1.5,
    _ body: @escaping @Sendable ([Tensor]) throws -> Tensor
  ) {
    (self.name, self.shapes, self.domain, self.body) = (name, shapes, domain, body)
  }

  /// Name and shapes.
  public var description: String { "\(name) \(shapes)" }

  /// Inputs that are a function of the shapes and `seed`: numbers at even distances in random
  /// order, so that a small step makes no element larger than another one that it was not larger
  /// than before.
  public func inputs(seed: UInt64 = 1) throws -> [Tensor] {
    var stream = RandomStream(seed: seed)
    let count = shapes.reduce(0) { $0 + $1.reduce(1, *) }
    let width = (domain.upperBound - domain.lowerBound) / Float(max(1, count))
    var numbers = (0..<count).shuffled(using: &stream)[...]
    return try shapes.map { shape in
      let tensor = try Tensor.zeros(shape)
      for i in 0..<tensor.count {
        tensor.pointer[i] = domain.lowerBound + width * (Float(numbers.removeFirst()) + 0.5)
      }
      return tensor
    }
  }
}

/// The table of the general operations, each with the shapes that take different paths through it.
public let opCases: [OpCase] = elementwiseCases + reductionCases + shapeCases + productCases

private let pairs: [[[Int]]] = [
  [[2, 3], [2, 3]], [[20], []], [[], [3, 2]], [[3, 18], [18]], [[4, 1], [1, 5]],
  [[2, 1, 3], [4, 1]], [[3, 2, 2, 2], [2, 1, 2]], [[1, 1], [1]],
]

private let elementwiseCases: [OpCase] =
  pairs.flatMap { shapes in
    [
      OpCase("add", shapes) { try $0[0] + $0[1] },
      OpCase("sub", shapes) { try $0[0] - $0[1] },
      OpCase("mul", shapes) { try $0[0] * $0[1] },
      OpCase("div", shapes, in: 0.5...2) { try $0[0] / $0[1] },
      OpCase("pow", shapes, in: 0.5...2) { try $0[0].pow($0[1]) },
      OpCase("maximum", shapes, in: -4...4) { try $0[0].maximum($0[1]) },
      OpCase("minimum", shapes, in: -4...4) { try $0[0].minimum($0[1]) },
    ]
  }
  + [[], [19], [3, 5]].flatMap { (shape: [Int]) in
    [
      OpCase("neg", [shape]) { try -$0[0] },
      OpCase("exp", [shape]) { try $0[0].exp() },
      OpCase("log", [shape], in: 0.3...3) { try $0[0].log() },
      OpCase("sqrt", [shape], in: 0.3...3) { try $0[0].sqrt() },
      OpCase("tanh", [shape]) { try $0[0].tanh() },
      OpCase("sigmoid", [shape]) { try $0[0].sigmoid() },
      OpCase("relu", [shape], in: 0.1...1) { try ($0[0] - 0.05).relu() },
      OpCase("abs of negative numbers", [shape], in: -2 ... -0.1) { try $0[0].abs() },
      OpCase("square", [shape]) { try $0[0].pow(2) },
      OpCase("pow 2.5", [shape], in: 0.5...2) { try $0[0].pow(2.5) },
      OpCase("clamp inside", [shape], in: -0.9...0.9) { try $0[0].clamp(min: -1, max: 1) },
      OpCase("where", [shape, shape]) { try Tensor(1).where($0[0], $0[1]) },
    ]
  }

private let dims: [([Int], Int?)] = [
  ([7], nil), ([7], 0), ([3, 18], 0), ([3, 18], 1), ([2, 3, 4], 1), ([2, 3, 4], nil), ([], nil),
]

private let reductionCases: [OpCase] =
  dims.flatMap { shape, dim in
    [
      OpCase("sum \(dim, default: "all")", [shape]) { try $0[0].sum(dim: dim) },
      OpCase("mean \(dim, default: "all")", [shape]) { try $0[0].mean(dim: dim, keepdim: true) },
      OpCase("max \(dim, default: "all")", [shape], in: -4...4) { try $0[0].maximum(dim: dim) },
      OpCase("min \(dim, default: "all")", [shape], in: -4...4) {
        try $0[0].minimum(dim: dim, keepdim: true)
      },
      OpCase("logsumexp \(dim, default: "all")", [shape]) { try $0[0].logsumexp(dim: dim) },
      OpCase("softmax \(dim, default: "all")", [shape]) { try $0[0].softmax(dim: dim) },
      OpCase("log_softmax \(dim, default: "all")", [shape]) { try $0[0].logSoftmax(dim: dim) },
    ]
  }
  + dims.filter { !$0.0.isEmpty }.flatMap { shape, dim in
    [
      OpCase("var \(dim, default: "all")", [shape]) { try $0[0].var(dim: dim) },
      OpCase("std \(dim, default: "all")", [shape]) { try $0[0].std(dim: dim, keepdim: true) },
      OpCase("cumsum \(dim, default: "all")", [shape]) { try $0[0].cumsum(dim: dim ?? 0) },
    ]
  }

private let shapeCases: [OpCase] = [
  OpCase("reshape", [[2, 6]]) { try $0[0].reshape([3, -1]) },
  OpCase("transpose", [[3, 20]]) { try $0[0].transpose(0, 1) },
  OpCase("transpose outer", [[2, 3, 4]]) { try $0[0].transpose(0, 1) },
  OpCase("transpose ends", [[2, 3, 4]]) { try $0[0].transpose(0, 2) },
  OpCase("narrow rows", [[5, 2]]) { try $0[0].narrow(dim: 0, start: 1, length: 3) },
  OpCase("narrow columns", [[3, 5]]) { try $0[0].narrow(dim: 1, start: 2, length: 2) },
  OpCase("cat", [[2, 3], [4, 3]]) { try Tensor.cat([$0[0], $0[1], $0[0]]) },
  OpCase("cat columns", [[2, 3], [2, 1]]) { try Tensor.cat($0, dim: 1) },
  OpCase("stack", [[3], [3]]) { try Tensor.stack($0, dim: 1) },
  OpCase("gather", [[3, 4]]) {
    try $0[0].gather(dim: 1, index: Tensor([0, 3, 3, 1, 2, 0], shape: [3, 2]))
  },
  OpCase("index", [[3, 4]]) { try $0[0].select(2) },
  OpCase("index a vector", [[3]]) { try $0[0].select(1) },
  OpCase("expand", [[2, 1, 3]]) { try $0[0].expand([4, 2, 5, 3]) },
  OpCase("unsqueeze and squeeze", [[2, 3]]) { try $0[0].unsqueeze(dim: 1).squeeze(dim: 1) },
  OpCase("clone", [[2, 3]]) { try $0[0].clone() },
]

private let productCases: [OpCase] = [
  [[3], [3]], [[2, 3], [3]], [[3], [3, 4]], [[4, 3], [3, 5]], [[2, 4, 3], [3, 5]],
  [[2, 4, 3], [2, 3, 5]], [[4, 3], [2, 3, 5]], [[2, 1, 4, 3], [3, 3, 2]], [[3], [2, 3, 5]],
].map { shapes in OpCase("matmul", shapes) { try $0[0].matmul($0[1]) } }
