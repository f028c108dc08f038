import Testing

@testable import Tensors

@Suite struct CreationTests {
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
