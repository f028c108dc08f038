import Core
import TestSupport
import Testing

@testable import Tensors

/// Operations on more than a few elements ask whether to stop while they run, one question for each
/// `Interrupt.interval` elements or a few megabytes of a copy, and throw where the answer is yes.
@Suite("Loops over tensors ask whether to stop", .serialized)
struct StoppingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var copies = false
    let run: @Sendable (Tensor) throws -> Void
    var testDescription: String { name }
  }

  private static let count = 1 << 22

  static let cases: [Case] = [
    Case(name: "zeros", copies: true) { _ = try Tensor.zeros([$0.count]) },
    Case(name: "ones", copies: true) { _ = try Tensor.ones([$0.count]) },
    Case(name: "full", copies: true) { _ = try Tensor.full([$0.count], 2) },
    Case(name: "clone", copies: true) { _ = try $0.clone() },
    Case(name: "copied", copies: true) { _ = try $0.copied() },
    Case(name: "arange") { _ = try Tensor.arange(0, Double($0.count)) },
    Case(name: "rand") {
      var stream = RandomStream(seed: 1)
      _ = try Tensor.rand([$0.count], from: &stream)
    },
    Case(name: "randn") {
      var stream = RandomStream(seed: 1)
      _ = try Tensor.randn([$0.count], from: &stream)
    },
    Case(name: "unary") { _ = try $0.exp() },
    Case(name: "neg") { _ = try -$0 },
    Case(name: "binary") { _ = try $0 + $0 },
    Case(name: "scalar") { _ = try $0 * 2 },
    Case(name: "rows") { _ = try $0 * Tensor(zeros: [1 << 11]) },
    Case(name: "columns") { _ = try $0 * Tensor(zeros: [1 << 11, 1]) },
    Case(name: "comparison") { _ = try $0.gt(0) },
    Case(name: "where") { _ = try $0.where($0, 0) },
    Case(name: "expand") { _ = try Tensor(1).expand([$0.count]) },
    Case(name: "sum") { _ = try $0.sum() },
    Case(name: "sum of rows") { _ = try $0.sum(dim: 1) },
    Case(name: "sum of columns") { _ = try $0.sum(dim: 0) },
    Case(name: "var") { _ = try $0.var(dim: 1) },
    Case(name: "cumsum") { _ = try $0.cumsum(dim: 1) },
    Case(name: "cumsum of one row") { _ = try $0.reshape([-1]).cumsum(dim: 0) },
    Case(name: "max") { _ = try $0.maximum(dim: 1) },
    Case(name: "argmin") { _ = try $0.argmin(dim: 1) },
    Case(name: "softmax") { _ = try $0.softmax(dim: 1) },
    Case(name: "log_softmax") { _ = try $0.logSoftmax(dim: 1) },
    Case(name: "logsumexp") { _ = try $0.logsumexp(dim: 1) },
    Case(name: "transpose") { _ = try $0.transpose(0, 1) },
    Case(name: "transpose of columns") { _ = try $0.reshape([-1, 2]).transpose(0, 1) },
    Case(name: "transpose of thin blocks") { _ = try $0.reshape([2, -1, 2]).transpose(0, 2) },
    Case(name: "transpose to columns") { _ = try $0.reshape([2, -1]).transpose(0, 1) },
    Case(name: "narrow") { _ = try $0.narrow(dim: 1, start: 0, length: 2000) },
    Case(name: "cat") { _ = try Tensor.cat([$0, $0], dim: 1) },
    Case(name: "stack") { _ = try Tensor.stack([$0, $0]) },
    Case(name: "gather") { _ = try $0.gather(dim: 1, index: $0) },
  ]

  /// One thread, so that all questions are those of the caller.
  private func alone(_ body: () throws -> Void) rethrows {
    let before = Team.shared
    Team.shared = Team(threads: 1)
    defer { Team.shared = before }
    try body()
  }

  @Test("Values", arguments: cases)
  func values(_ each: Case) throws {
    let x = Tensor(zeros: [1 << 11, Self.count >> 11])
    try alone {
      let polls = try Polls.during { try each.run(x) }
      #expect(polls >= (each.copies ? 3 : 32))
      #expect(throws: TensorError.stopped(.byUser)) {
        _ = try Polls.during(limit: polls / 2) { try each.run(x) }
      }
    }
  }

  static let gradients: [(name: String, run: @Sendable (Tensor) throws -> Tensor)] = [
    ("unary", { try $0.exp() }), ("binary", { try $0 * $0 }), ("sub", { try 1 - $0 }),
    ("rows", { try $0 * Tensor(zeros: [1 << 11]) }), ("where", { try $0.where($0, 0) }),
    ("sum", { try $0.sum() }), ("mean", { try $0.mean(dim: 1) }), ("clone", { try $0.clone() }),
    ("cumsum", { try $0.cumsum(dim: 1) }), ("max", { try $0.maximum() }),
    ("softmax", { try $0.softmax(dim: 1) }), ("transpose", { try $0.transpose(0, 1) }),
    ("reshape", { try $0.reshape([-1]) }), ("cat", { try Tensor.cat([$0, $0]) }),
    ("gather", { try $0.gather(dim: 1, index: Tensor(zeros: $0.shape)) }),
  ]

  @Test("Gradients, which a stop leaves in part", arguments: gradients.map(\.name))
  func gradient(_ name: String) throws {
    let run = try #require(Self.gradients.first { $0.name == name }?.run)
    let x = Tensor(zeros: [1 << 11, Self.count >> 11])
    try x.setRequiresGradient(true)
    func step(limit: Int = .max) throws -> Int {
      let y = try run(x)
      let seed = Tensor(zeros: y.shape)
      return try Polls.during(limit: limit) { try y.backward(seed: seed) }
    }
    try alone {
      let polls = try step()
      #expect(polls >= 32)
      #expect(throws: TensorError.stopped(.byUser)) { _ = try step(limit: polls / 2) }
      x.clearGradient()
      _ = try step()
      #expect(x.gradient?.count == Self.count)
    }
  }
}
