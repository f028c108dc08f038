import Foundation
import TestSupport
import Testing

@testable import Tensors

/// A case of Fixtures/ops.json, which scripts/fixtures/make_ops.py writes with PyTorch.
private struct TorchCase: Decodable, Sendable, CustomStringConvertible {
  struct Values: Decodable, Sendable {
    let shape: [Int]
    let values: [Float]

    var tensor: Tensor { Tensor(values, shape: shape) }
  }

  enum Argument: Decodable, Sendable {
    case none, flag(Bool), number(Double), sizes([Int])

    init(from decoder: Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .none
      } else if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let sizes = try? container.decode([Int].self) {
        self = .sizes(sizes)
      } else {
        self = .number(try container.decode(Double.self))
      }
    }
  }

  let op: String
  let args: [String: Argument]
  let inputs: [Values]
  let output: Values
  let weights: Values?
  let gradients: [Values?]?

  var description: String { "\(op) \(inputs.map(\.shape))" }

  func int(_ name: String) -> Int? { number(name).map(Int.init) }

  func number(_ name: String) -> Double? {
    if case .number(let value) = args[name] { value } else { nil }
  }

  var shape: [Int] { if case .sizes(let sizes) = args["shape"] { sizes } else { [] } }

  var keepdim: Bool { if case .flag(let flag) = args["keepdim"] { flag } else { false } }

  static func load() throws -> [TorchCase] {
    struct File: Decodable { let cases: [TorchCase] }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(
        path: "Fixtures/ops.json")
    return try decoder.decode(File.self, from: Data(contentsOf: path)).cases
  }

  func run(_ x: [Tensor]) throws -> Tensor {
    try elementwise(x) ?? reduction(x) ?? rearrangement(x)
  }

  private func elementwise(_ x: [Tensor]) throws -> Tensor? {
    switch op {
    case "add": try x[0] + x[1]
    case "sub": try x[0] - x[1]
    case "mul": try x[0] * x[1]
    case "div": try x[0] / x[1]
    case "pow": try x[0].pow(number("exponent").map { Tensor(Float($0)) } ?? x[1])
    case "rpow": try Tensor(Float(number("base") ?? 0)).pow(x[0])
    case "maximum": try x[0].maximum(x[1])
    case "minimum": try x[0].minimum(x[1])
    case "neg": try -x[0]
    case "exp": try x[0].exp()
    case "log": try x[0].log()
    case "sqrt": try x[0].sqrt()
    case "tanh": try x[0].tanh()
    case "sigmoid": try x[0].sigmoid()
    case "relu": try x[0].relu()
    case "abs": try x[0].abs()
    case "clamp":
      try x[0].clamp(min: number("min").map(Float.init), max: number("max").map(Float.init))
    case "where": try x[0].where(x[1], x[2])
    case "eq": try x[0].eq(x[1])
    case "ne": try x[0].ne(x[1])
    case "gt": try x[0].gt(x[1])
    case "lt": try x[0].lt(x[1])
    case "ge": try x[0].ge(x[1])
    case "le": try x[0].le(x[1])
    default: nil
    }
  }

  private func reduction(_ x: [Tensor]) throws -> Tensor? {
    let dim = int("dim")
    return switch op {
    case "sum": try x[0].sum(dim: dim, keepdim: keepdim)
    case "mean": try x[0].mean(dim: dim, keepdim: keepdim)
    case "var": try x[0].var(dim: dim, keepdim: keepdim)
    case "std": try x[0].std(dim: dim, keepdim: keepdim)
    case "max": try x[0].maximum(dim: dim, keepdim: keepdim)
    case "min": try x[0].minimum(dim: dim, keepdim: keepdim)
    case "argmax": try x[0].argmax(dim: dim, keepdim: keepdim)
    case "argmin": try x[0].argmin(dim: dim, keepdim: keepdim)
    case "logsumexp": try x[0].logsumexp(dim: dim, keepdim: keepdim)
    case "softmax": try x[0].softmax(dim: dim)
    case "log_softmax": try x[0].logSoftmax(dim: dim)
    case "cumsum": try x[0].cumsum(dim: dim ?? 0)
    default: nil
    }
  }

  private func rearrangement(_ x: [Tensor]) throws -> Tensor {
    let dim = int("dim") ?? 0
    return switch op {
    case "matmul": try x[0].matmul(x[1])
    case "reshape": try x[0].reshape(shape)
    case "transpose": try x[0].transpose(int("first") ?? 0, int("second") ?? 0)
    case "narrow": try x[0].narrow(dim: dim, start: int("start") ?? 0, length: int("length") ?? 0)
    case "cat": try Tensor.cat(x, dim: dim)
    case "stack": try Tensor.stack(x, dim: dim)
    case "gather": try x[0].gather(dim: dim, index: x[1])
    case "select": try x[0].select(int("index") ?? 0)
    case "expand": try x[0].expand(shape)
    case "squeeze": try x[0].squeeze(dim: int("dim"))
    case "unsqueeze": try x[0].unsqueeze(dim: dim)
    case "clone": try x[0].clone()
    default: throw UnknownOperation(name: op)
    }
  }
}

struct UnknownOperation: Error { let name: String }

@Suite struct TorchTests {
  /// Whether every value is within 2e-6 of PyTorch's, relative to it or to the largest one; NaN and
  /// infinities alike.
  private func agree(_ given: Tensor, _ expected: TorchCase.Values) -> Bool {
    guard given.shape == expected.shape else { return false }
    let largest = expected.values.filter(\.isFinite).map(abs).max() ?? 0
    let scale = largest > 1e6 ? 0 : largest
    return Swift.zip(given.values, expected.values).allSatisfy { a, b in
      a == b || (a.isNaN && b.isNaN) || abs(a - b) <= 2e-6 * max(abs(b), scale, 1e-30)
    }
  }

  @Test(arguments: try TorchCase.load())
  private func valuesAndGradientsAreThoseOfPyTorch(_ test: TorchCase) throws {
    let inputs = test.inputs.map(\.tensor)
    for (input, gradient) in Swift.zip(inputs, test.gradients ?? []) where gradient != nil {
      try input.setRequiresGradient(true)
    }
    let output = try test.run(inputs)
    #expect(agree(output, test.output), "\(output.values) instead of \(test.output.values)")
    guard let weights = test.weights?.tensor else { return }
    try output.backward(seed: weights)
    for (input, expected) in Swift.zip(inputs, test.gradients ?? []) {
      guard let expected else { continue }
      let gradient = input.gradient ?? Tensor(zeros: input.shape)
      #expect(agree(gradient, expected), "gradient \(gradient.values), not \(expected.values)")
    }
  }
}
