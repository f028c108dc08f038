import TestSupport
import Testing

@testable import ApoLua
@testable import Tensors

/// The texts that scripts see: positions and dimensions count from 1 there.
@Suite struct TensorErrorTests {
  private let matrix = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])

  private func expect(_ text: String, _ body: () throws -> Tensor) {
    #expect(errorText { _ = try body() } == text)
  }

  @Test func shapesThatDoNotMeet() {
    let four = Tensor(zeros: [4])
    expect("add: shapes [2, 3] and [4] do not broadcast") { try matrix + four }
    expect("sub: shapes [4] and [2, 3] do not broadcast") { try four - matrix }
    expect("maximum: shapes [2, 3] and [4] do not broadcast") { try matrix.maximum(four) }
    expect("eq: shapes [2, 3] and [4] do not broadcast") { try matrix.eq(four) }
    expect("where: shapes [2, 3] and [4] do not broadcast") { try matrix.where(four, 1) }
    expect("expand: shape [2, 3] does not broadcast to [2, 4]") { try matrix.expand([2, 4]) }
    expect("expand: shape [2, 3] does not broadcast to [3]") { try matrix.expand([3]) }
    expect("expand: a tensor of shape [-1, 2, 3] cannot be made") { try matrix.expand([-1, 2, 3]) }
    expect("matmul: shapes [2, 3] and [2, 3] do not match: 3 columns but 2 rows") {
      try matrix.matmul(matrix)
    }
    expect("matmul: shapes [2, 3] and [4] do not match: 3 columns but 4 rows") {
      try matrix.matmul(four)
    }
    expect("matmul: at least one dimension expected, got [] and [4]") { try Tensor(1).matmul(four) }
    expect("matmul: shapes [2] and [3] do not broadcast") {
      try Tensor(zeros: [2, 1, 2]).matmul(Tensor(zeros: [3, 2, 1]))
    }
  }

  @Test func changesOfShape() {
    expect("reshape: [2, 3] has 6 elements and cannot become [4, 2]") {
      try matrix.reshape([4, 2])
    }
    expect("reshape: [2, 3] has 6 elements and cannot become [4, -1]") {
      try matrix.reshape([4, -1])
    }
    expect("reshape: [2, 3] cannot become [-1, -1]: only one size may be -1") {
      try matrix.reshape([-1, -1])
    }
    expect("reshape: a tensor of shape [-2, 3] cannot be made") { try matrix.reshape([-2, 3]) }
    expect("transpose: dimension 3 of a tensor of shape [2, 3]; expected 1 to 2") {
      try matrix.transpose(0, 2)
    }
    expect("unsqueeze: dimension 4 of a tensor of shape [2, 3]; expected 1 to 3") {
      try matrix.unsqueeze(dim: 3)
    }
    expect(
      "narrow: 2 positions from 3 on are outside of 1..3, dimension 2 of shape [2, 3]"
    ) { try matrix.narrow(dim: 1, start: 2, length: 2) }
    expect(
      "narrow: \(Int.max) positions from 2 on are outside of 1..3, dimension 2 of shape [2, 3]"
    ) { try matrix.narrow(dim: 1, start: 1, length: .max) }
    expect("cat: at least one tensor expected") { try Tensor.cat([]) }
    expect("cat: a scalar cannot be concatenated; use stack") { try Tensor.cat([Tensor(1)]) }
    expect("cat: shapes [2, 3] and [4] (tensor 2) differ outside of dimension 1") {
      try Tensor.cat([matrix, Tensor(zeros: [4])])
    }
    expect("stack: shapes [2, 3] and [3] (tensor 2) differ") {
      try Tensor.stack([matrix, Tensor(zeros: [3])])
    }
    expect("stack: at least one tensor expected") { try Tensor.stack([]) }
  }

  @Test func positions() {
    expect("index: position 3 is outside of 1..2 for shape [2, 3]") { try matrix.select(2) }
    expect("index: position 0 is outside of 1..2 for shape [2, 3]") { try matrix.select(-1) }
    expect("index: a scalar has no elements to choose from") { try Tensor(1).select(0) }
    let outside = Tensor([0, 1, 2, 0, 1, 6], shape: [2, 3])
    expect("gather: index 7 at position [2, 3] is outside of 1..3") {
      try matrix.gather(dim: 1, index: outside)
    }
    expect("gather: index 0 at position [1, 1] is outside of 1..3") {
      try matrix.gather(dim: 1, index: Tensor([-1], shape: [1, 1]))
    }
    expect("gather: index nan at position [1, 1] is not a whole number") {
      try matrix.gather(dim: 1, index: Tensor([.nan], shape: [1, 1]))
    }
    expect("gather: index 2.5 at position [1, 1] is not a whole number") {
      try matrix.gather(dim: 1, index: Tensor([1.5], shape: [1, 1]))
    }
    expect(
      "gather: index of shape [3] for a tensor of shape [2, 3]: as many dimensions expected, "
        + "none longer except dimension 2"
    ) { try matrix.gather(dim: 1, index: Tensor(zeros: [3])) }
  }

  @Test func reductions() {
    expect("sum: dimension 3 of a tensor of shape [2, 3]; expected 1 to 2") {
      try matrix.sum(dim: 2)
    }
    expect("softmax: dimension 0 of a tensor of shape [2, 3]; expected 1 to 2") {
      try matrix.softmax(dim: -1)
    }
    expect("max: no elements to choose from in shape [2, 0]") {
      try Tensor(zeros: [2, 0]).maximum(dim: 1)
    }
    expect("argmax: no elements to choose from in shape [0]") { try Tensor(zeros: [0]).argmax() }
    expect("clamp: at least one of min and max expected") { try matrix.clamp() }
    #expect(
      errorText { _ = try matrix.item() }
        == "item: a tensor with one element expected, got shape [2, 3]")
  }

  @Test func sizesThatCannotBe() throws {
    let huge = 1 << 40
    expect("zeros: a tensor of shape [\(huge), \(huge)] cannot be made") {
      try Tensor.zeros([huge, huge])
    }
    expect("zeros: a tensor of shape [0, \(Int.max)] cannot be made") {
      try Tensor.zeros([0, .max])
    }
    expect("ones: a tensor of shape [2, -1] cannot be made") { try Tensor.ones([2, -1]) }
    expect("full: a tensor of shape [65 sizes] cannot be made") {
      try Tensor.full([Int](repeating: 1, count: 65), 1)
    }
    let column = Tensor(zeros: [1 << 20, 1])
    let row = Tensor(zeros: [1 << 20])
    #expect { try column + row } throws: {
      "\($0)".hasPrefix("add: 4398046 MB of memory needed")
    }
    #expect { try Tensor(zeros: [1]).expand([1 << 42]) } throws: {
      "\($0)".hasPrefix("expand: 17592186 MB of memory needed")
    }
    expect("arange: step -1.0 cannot reach 1.0 from 0.0") { try Tensor.arange(0, 1, -1) }
    expect("arange: finite numbers and a step other than 0 expected, got 0.0, nan, 1.0") {
      try Tensor.arange(0, .nan)
    }
    expect("arange: too many numbers from 0.0 to 1e+300 in steps of 1.0") {
      try Tensor.arange(0, 1e300)
    }
  }
}
