import Testing

@testable import Tensors

@Suite struct CreationTests {
  /// Nested lists as they stand in a script.
  enum Nested: Sendable, ExpressibleByArrayLiteral, ExpressibleByIntegerLiteral {
    case number(Float)
    case list([Nested])

    init(arrayLiteral elements: Nested...) { self = .list(elements) }
    init(integerLiteral value: Int) { self = .number(Float(value)) }

    func build(into builder: inout TensorBuilder) throws {
      switch self {
      case .number(let value): try builder.append(value)
      case .list(let elements):
        try builder.open(count: elements.count)
        for element in elements { try element.build(into: &builder) }
        builder.close()
      }
    }
  }

  private func tensor(_ value: Nested) throws -> Tensor {
    var builder = TensorBuilder()
    try value.build(into: &builder)
    return try builder.finish()
  }

  @Test func nestedLists() throws {
    let matrix = try tensor([[1, 2, 3], [4, 5, 6]])
    #expect(matrix.shape == [2, 3])
    #expect(matrix.values == [1, 2, 3, 4, 5, 6])
    #expect(try tensor(7).shape == [])
    #expect(try tensor([]).shape == [0])
    #expect(try tensor([[], []]).shape == [2, 0])
    #expect(try tensor([[[1]], [[2]]]).shape == [2, 1, 1])
  }

  @Test(
    arguments: [
      ([[1, 2], [3]], .length(place: [1], 1, expected: 2)),
      ([[[1], [2]], [[3], [4, 5]]], .length(place: [1, 1], 2, expected: 1)),
      ([1, [2]], .listForNumber(place: [1])),
      ([[1, 2], 3], .numberForList(place: [1], count: 2)),
      ([[], 3], .numberForList(place: [1], count: 0)),
    ] as [(Nested, TensorError.ListError)])
  func raggedLists(value: Nested, error: TensorError.ListError) {
    #expect(throws: TensorError.list(error)) { try tensor(value) }
  }

  @Test func misuseOfTheBuilder() throws {
    var builder = TensorBuilder()
    for _ in 0..<64 { try builder.open(count: 1) }
    #expect(throws: TensorError.list(.tooDeep)) {
      try builder.open(count: 1)
    }
    var scalar = TensorBuilder()
    scalar.close()
    try scalar.append(1)
    #expect(throws: TensorError.list(.tooManyValues)) { try scalar.append(2) }
    #expect(throws: TensorError.list(.count(0, expected: 1))) {
      try TensorBuilder().finish()
    }
  }

  @Test func ranges() throws {
    #expect(try Tensor.arange(0, 4).values == [0, 1, 2, 3])
    #expect(try Tensor.arange(1, 2, 0.25).values == [1, 1.25, 1.5, 1.75])
    #expect(try Tensor.arange(3, 0, -1.5).values == [3, 1.5])
    #expect(try Tensor.arange(2, 2).shape == [0])
  }

  @Test func randomNumbersDependOnTheirPlaceAlone() throws {
    var whole = RandomStream(seed: 7)
    var parts = RandomStream(seed: 7)
    let all = try Tensor.randn([10_000], from: &whole)
    let first = try Tensor.randn([3], from: &parts)
    let second = try Tensor.randn([9_997], from: &parts)
    #expect(all.values == first.values + second.values)
    // The mean of 10,000 standard normal numbers has standard deviation 0.01, their variance 0.014.
    #expect(abs(try all.mean().item()) < 0.05)
    #expect(abs(try all.var().item() - 1) < 0.07)
    let uniform = try Tensor.rand([10_000], from: &whole)
    #expect(uniform.values.allSatisfy { $0 >= 0 && $0 < 1 })
  }
}
