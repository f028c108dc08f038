import Core

/// How many more steps patterns may take on a text.
///
/// A pattern such as `(a|a)*b` can need a number of steps that is exponential in the length of the
/// text; what tokenizers use comes nowhere near this bound.
///
/// Spending also asks now and then whether the user wants to stop.
struct PatternBudget {
  private(set) var steps: Int

  /// For a text of some bytes.
  init(bytes: Int) { steps = 1_000_000 + 500 * min(bytes, 1 << 40) }

  /// Adds what a few more bytes of the text are worth.
  mutating func add(bytes: Int) { steps += 500 * min(bytes, 1 << 40) }

  /// Pays for bytes that a step of the tokenizer goes through or makes: steps that each lengthen a text can fill any memory.
  mutating func spend(bytes: Int) throws {
    try pay(min(bytes, 1 << 40))
    guard steps < 0 else { return }
    steps = 0
    throw TokenizerError("the tokenizer's steps make too much of this text")
  }

  @inline(__always)
  private mutating func pay(_ count: Int) throws {
    let before = steps
    steps -= count
    if before / Interrupt.interval != steps / Interrupt.interval { try Interrupt.check() }
  }

  mutating func spend(_ count: Int, on pattern: Pattern) throws {
    try pay(count)
    guard steps < 0 else { return }
    steps = 0
    throw TokenizerError(
      "the tokenizer's pattern \(pattern.source.debugDescription) takes too many steps on this text"
    )
  }
}
