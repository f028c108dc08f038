import Foundation
import Testing

/// The resident peak that `apo.train` announces, against the kernel's figure for a process that only
/// trains.
@Suite("Resident memory")
struct ResidentMemoryTests {
  @Test(arguments: ["full", "lora", "grpo", "ppo"])
  func predicted(kind: String) throws {
    let script = Examples.folder.appendingPathComponent("../scripts/memory/train.lua").path
    let result = try Binary.run([script, kind, "small", "8", "16"])
    let ratio = try #require(
      result.output.firstMatch(of: /predicted \d+ MB \((\d+\.\d+) of the peak\)/),
      "\(result.output)\(result.errors)")
    let value = try #require(Double(ratio.1))
    #expect((0.9...1.1).contains(value), "\(result.output)")
  }
}
