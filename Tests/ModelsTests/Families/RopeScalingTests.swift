import Models
import TestSupport
import Testing
import Text

/// Rotary frequencies against those of Hugging Face transformers:
/// Tests/Fixtures/make_rope_frequencies.py.
@Suite struct RopeScalingTests {
  @Test func frequenciesEqualTransformers() throws {
    for row in try JSONLines.read(localFixture("rope_frequencies.jsonl")) {
      let config = try row.at("config")
      let configuration = try ModelConfiguration(config, source: "config.json")
      guard case .rotary(let theta, let scaling) = configuration.positions else {
        Issue.record("no rotary positions")
        return
      }
      let frequencies = scaling.frequencies(size: configuration.headSize, theta: theta)
      let name = try config.text()
      let kind = String("\(scaling)".prefix { $0 != "(" })
      let expected = try row.at("frequencies").floats
      #expect(frequencies.count == expected.count)
      for (ours, theirs) in zip(frequencies, expected) {
        // A unit in the last place of the power, and four where two numbers nearly cancel.
        let difference = measured(
          abs(ours - theirs) / theirs, "rotary frequencies, relative", of: kind)
        #expect(difference <= 5e-7, "\(name)")
      }
      let factor = try Float(row.at("attention_factor").double)
      #expect(scaling.attentionFactor == factor)
    }
  }
}
