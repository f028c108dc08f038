/// Turns ids into text one by one, while they are being sampled.
///
/// The pieces, joined, are `decode` of all ids. A piece may be empty: bytes of an unfinished
/// character are held back until it is complete.
public struct StreamDecoder {
  private let tokenizer: Tokenizer
  private let skipsSpecialTokens: Bool
  private var decoder: TokenDecoder

  /// Begins a text; the options are those of `decode`.
  public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = false) {
    self.tokenizer = tokenizer
    skipsSpecialTokens = skipSpecialTokens
    decoder = TokenDecoder(tokenizer.decoderSteps)
  }

  /// Goes on after a prompt, whose text is left out: a leading space of what follows stays.
  public init(
    _ tokenizer: Tokenizer, after prompt: [Int], skipSpecialTokens: Bool = false
  ) throws {
    self.init(tokenizer, skipSpecialTokens: skipSpecialTokens)
    for id in prompt { _ = try feed(id) }
  }

  /// The text that is certain after one more id; throws as `decode` does.
  public mutating func feed(_ id: Int) throws -> String {
    guard let token = try tokenizer.text(id) else { return "" }
    return skipsSpecialTokens && tokenizer.isSkipped(id) ? "" : try decoder.feed(token)
  }

  /// The rest of the text; call it once, after the last id.
  public mutating func finish() throws -> String { try decoder.finish() }
}
