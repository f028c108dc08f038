import Text

/// The texts that end a completion, looked for in the bytes of the tokens as they come.
///
/// The first text to be complete ends the completion; of several complete at the same byte the
/// longest counts. So the result does not depend on how the bytes are split into tokens (vLLM looks
/// once per token, in the order of the list).
public struct StopStrings: Sendable {
  private struct Pattern: Sendable {
    let text: String
    let bytes: [UInt8]
    /// For each prefix, the length of its longest proper prefix that is also its suffix.
    let borders: [Int]
  }

  private let patterns: [Pattern]

  /// The texts, as UTF-8; none is empty (`SamplingOptions` checks). The list may be empty.
  public init(_ texts: [String]) {
    patterns = texts.filter { !$0.isEmpty }.map {
      Pattern(text: $0, bytes: Array($0.utf8), borders: Self.borders(Array($0.utf8)))
    }
  }

  /// Whether there is anything to look for.
  public var isEmpty: Bool { patterns.isEmpty }

  /// The state of the search in one completion; a copy continues independently.
  public struct Search: Sendable {
    fileprivate var matched: [Int]
    fileprivate var position = 0
    /// Number of bytes before the stop text, where the completion is to be cut; nil as long as
    /// there is none.
    public fileprivate(set) var cut: Int?
    /// The stop text that was found.
    public fileprivate(set) var found: String?
  }

  /// The start of a search in a new completion.
  public func search() -> Search { Search(matched: patterns.map { _ in 0 }) }

  /// Searches the bytes of the next token and returns where to cut the completion, in bytes from
  /// its start.
  ///
  /// Nothing is searched after the first stop string. Knuth, Morris and Pratt's algorithm: constant
  /// time per byte.
  @discardableResult
  public func feed(_ bytes: some Sequence<UInt8>, _ search: inout Search) -> Int? {
    guard search.cut == nil, !patterns.isEmpty else { return search.cut }
    for byte in bytes {
      search.position += 1
      var longest = 0
      for (index, pattern) in patterns.enumerated() {
        search.matched[index] = Self.advance(pattern, search.matched[index], byte)
        if search.matched[index] == pattern.bytes.count, pattern.bytes.count > longest {
          longest = pattern.bytes.count
          search.found = pattern.text
        }
      }
      if longest > 0 {
        search.cut = search.position - longest
        return search.cut
      }
    }
    return nil
  }

  private static func advance(_ pattern: Pattern, _ matched: Int, _ byte: UInt8) -> Int {
    var matched = matched
    while matched > 0, matched == pattern.bytes.count || pattern.bytes[matched] != byte {
      matched = pattern.borders[matched - 1]
    }
    return pattern.bytes[matched] == byte ? matched + 1 : 0
  }

  private static func borders(_ bytes: [UInt8]) -> [Int] {
    var borders = [Int](repeating: 0, count: bytes.count)
    for end in bytes.indices.dropFirst() {
      var border = borders[end - 1]
      while border > 0, bytes[border] != bytes[end] { border = borders[border - 1] }
      borders[end] = bytes[border] == bytes[end] ? border + 1 : 0
    }
    return borders
  }
}
