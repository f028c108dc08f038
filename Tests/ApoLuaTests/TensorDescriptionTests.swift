import Tensors
import Testing

@testable import ApoLua

@Suite struct TensorDescriptionTests {
  @Test func columnsHaveTheirOwnPrecision() {
    let tensor = Tensor([1, 0.5, 123.456, -2, 0.25, 7], shape: [2, 3])
    #expect(
      tensor.description == """
           1  0.5000  123.5
          -2  0.2500    7.0
        [apo.Tensor of size 2x3]
        """)
  }

  @Test func scalarsAndVectors() throws {
    #expect(Tensor(3.14159).description == "  3.142\n[apo.Tensor scalar]")
    #expect(
      Tensor([1, 20, .nan, -.infinity], shape: [4]).description
        == "     1    20   nan  -inf\n[apo.Tensor of size 4]")
    #expect(
      Tensor([1e-7, 1], shape: [2]).description == "  0.000  1.000\n[apo.Tensor of size 2]")
    #expect(
      Tensor([1e-7, 2e-6], shape: [2]).description
        == "  1.000e-07  2.000e-06\n[apo.Tensor of size 2]")
    #expect(Tensor(zeros: [0, 3]).description == "[apo.Tensor of size 0x3]")
    let lines = try Tensor.arange(0, 30).description.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].count == 80)
  }

  @Test func moreDimensionsAreMatricesUnderTheirPlace() {
    let tensor = Tensor((1...8).map(Float.init), shape: [2, 2, 2])
    #expect(
      tensor.description == """
        (1,.,.) =
          1  2
          3  4

        (2,.,.) =
          5  6
          7  8
        [apo.Tensor of size 2x2x2]
        """)
  }

  @Test func theMiddleOfLargeTensorsIsLeftOut() throws {
    let text = try Tensor.arange(0, 1_000_000).reshape([1000, 1000]).description
    let lines = text.split(separator: "\n")
    #expect(lines.count == 22)
    #expect(
      lines[0]
        == "       0       1       2       3       4  …     995     996     997     998     999")
    #expect(lines[10].contains("…"))
    let cube = try Tensor.zeros([100, 100, 10, 10]).description
    #expect(cube.utf8.count < 3000)
    #expect(cube.contains("(100,100,.,.) ="))
  }
}
