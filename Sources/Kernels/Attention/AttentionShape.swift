/// The sizes that an attention kernel needs.
public struct AttentionShape: Sendable {
  /// Query heads.
  public let heads: Int
  /// Key and value heads; a divisor of `heads` (grouped queries).
  public let keyValueHeads: Int
  /// Floats per head.
  public let size: Int
  /// Tokens that a token sees, itself included: the sliding window, or `Int.max` for all.
  public let window: Int
  /// What scores are multiplied by: 1 / sqrt(size) unless a model says otherwise.
  public let scale: Float

  /// Heads of `size` floats, `keyValueHeads` of which hold keys and values.
  public init(
    heads: Int, keyValueHeads: Int, size: Int, window: Int = .max, scale: Float? = nil
  ) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.size = size
    self.window = window
    self.scale = scale ?? 1 / Float(size).squareRoot()
  }

  /// Query heads that share a key-value head.
  public var group: Int { heads / keyValueHeads }

  /// Floats from one token's keys (or values) to the next token's.
  public var stride: Int { keyValueHeads * size }

  /// The positions that the token at `position` sees.
  public func visible(from position: Int) -> Range<Int> {
    max(0, position - (window - 1))..<position + 1
  }

  /// The positions that any of the tokens at `positions` sees.
  func visible(through positions: Range<Int>) -> Range<Int> {
    visible(from: positions.lowerBound).lowerBound..<positions.upperBound
  }
}
