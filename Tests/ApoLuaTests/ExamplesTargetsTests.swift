import Foundation
import Testing

/// The targets of examples/targets, each for a few steps.
@Suite("Example targets")
struct ExamplesTargetsTests {
  static let names: [String] = {
    let folder = Examples.folder.appendingPathComponent("targets").path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".lua") && $0 != "common.lua" }.sorted()
  }()

  @Test("There are those that the page names")
  func complete() throws {
    let page = try Checkout.text("docs/own-target.md")
    #expect(Self.names.count >= 11)
    for name in Self.names { #expect(page.contains("`\(name)`"), "docs/own-target.md: \(name)") }
  }

  @Test("Trains with finite figures", arguments: names)
  func trains(_ name: String) throws {
    let result = try Examples.output("targets/" + name, ["9"])
    #expect(result.status == 0, "\(result.errors)")
    let after = try #require(result.output.number(after: "after 9 steps"), "\(result.output)")
    #expect(after > 0.1 && after <= 1)
    if name == "what_if.lua" {
      let step = try #require(result.output.split(separator: "\n").first { $0.hasPrefix("     1") })
      #expect(step.hasSuffix("        0"), "the drift of step 1 is 0: \(step)")
    }
    if name == "replayed.lua" { #expect(result.output.contains("accuracy of the student 0.")) }
    if name == "beta_schedule.lua" { #expect(result.output.number(after: "last step:") == 0.001) }
  }
}
