// The syntax of patterns in tokenizer.json: Oniguruma's. Refused with an error: back-references and
// calls of groups, conditions, absent groups, \K, \G, \X, \y and the options W, D, S, P and L.

/// A parsed pattern.
indirect enum PatternNode: Sendable {
  enum Greed: Sendable { case greedy, lazy, possessive }
  enum Anchor: Sendable {
    case lineStart, lineEnd, textStart, textEnd, lastLineEnd, wordEdge, noWordEdge
  }

  case set(ScalarSet)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  case repetition(PatternNode, min: Int, max: Int?, Greed)
  case look(PatternNode, isNegative: Bool)
  case lookBehind(PatternNode, isNegative: Bool)
  case atomic(PatternNode)
  case anchor(Anchor)

  /// Whether the pattern can match nothing.
  var canBeEmpty: Bool {
    switch self {
    case .set: false
    case .sequence(let nodes): nodes.allSatisfy(\.canBeEmpty)
    case .alternatives(let nodes): nodes.contains(where: \.canBeEmpty)
    case .repetition(let node, let min, _, _): min == 0 || node.canBeEmpty
    case .look, .lookBehind, .anchor: true
    case .atomic(let node): node.canBeEmpty
    }
  }
}

struct PatternError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

struct PatternParser {
  struct Options {
    var ignoresCase = false
    var dotMatchesNewline = false
    /// White space and comments in the pattern are ignored.
    var isExtended = false
  }

  let text: [Unicode.Scalar]
  var position = 0
  var options = Options()
  /// Current nesting of classes.
  var classDepth = 0
  private var depth = 0

  init(_ pattern: String) { text = Array(pattern.unicodeScalars) }

  static func parse(_ pattern: String) throws -> PatternNode {
    var parser = PatternParser(pattern)
    let node = try parser.alternatives()
    if parser.position < parser.text.count { throw PatternError("unmatched ')'") }
    return node
  }

  var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

  mutating func take(_ scalars: String) -> Bool {
    let wanted = Array(scalars.unicodeScalars)
    guard text[position...].starts(with: wanted) else { return false }
    position += wanted.count
    return true
  }

  mutating func alternatives() throws -> PatternNode {
    depth += 1
    defer { depth -= 1 }
    if depth > 100 { throw PatternError("groups are nested too deep") }
    let outer = options
    defer { options = outer }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence() throws -> PatternNode {
    var nodes: [PatternNode] = []
    while true {
      skipSpace()
      guard let scalar = next, scalar != "|", scalar != ")" else { break }
      if let node = try atom() { nodes.append(try repeated(node)) }
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  private mutating func skipSpace() {
    guard options.isExtended else { return }
    while let scalar = next, scalar == "#" || scalar.properties.isPatternWhitespace {
      position += 1
      if scalar == "#" { while let scalar = next, scalar != "\n" { position += 1 } }
    }
  }

  private mutating func repeated(_ node: PatternNode) throws -> PatternNode {
    var node = node
    var levels = 0
    while let (min, max, isInterval) = try quantifier() {
      levels += 1
      if levels > 20 { throw PatternError("more than 20 repetitions of each other") }
      switch node {
      case .anchor, .look, .lookBehind:
        throw PatternError("what stands before character \(position) cannot be repeated")
      default: break
      }
      // In Oniguruma's Ruby syntax `{n,m}+` and `{n}?` are intervals that are themselves repeated.
      let isLazy = !(isInterval && min == max) && take("?")
      let greed: PatternNode.Greed =
        isLazy ? .lazy : !isInterval && take("+") ? .possessive : .greedy
      node = .repetition(node, min: min, max: max, greed)
    }
    return node
  }

  private mutating func quantifier() throws -> (min: Int, max: Int?, isInterval: Bool)? {
    if take("*") { return (0, nil, false) }
    if take("+") { return (1, nil, false) }
    if take("?") { return (0, 1, false) }
    guard next == "{" else { return nil }
    let start = position
    position += 1
    let min = number()
    let hasComma = take(",")
    let max = hasComma ? number() : min
    guard take("}"), min != nil || max != nil else {
      position = start
      return nil
    }
    guard (max ?? min ?? 0) <= 1000, (min ?? 0) <= max ?? 1000 else {
      throw PatternError("the interval at character \(start + 1) is out of range")
    }
    return (min ?? 0, max, true)
  }

  private mutating func number() -> Int? {
    var digits = ""
    while let scalar = next, ("0"..."9").contains(scalar), digits.count < 6 {
      digits.unicodeScalars.append(scalar)
      position += 1
    }
    return Int(digits)
  }

  /// One atom; nil for a comment.
  private mutating func atom() throws -> PatternNode? {
    guard let scalar = next else { throw PatternError("the pattern ends too early") }
    position += 1
    switch scalar {
    case "(":
      guard take("?#") else { return try group() }
      while let scalar = next, scalar != ")" { position += 1 }
      guard take(")") else { throw PatternError("a comment is not closed") }
      return nil
    case "[": return .set(try characterClass())
    case ".": return options.dotMatchesNewline ? .any : .notNewline
    case "^": return .anchor(.lineStart)
    case "$": return .anchor(.lineEnd)
    case "\\": return try escape()
    case "*", "+", "?": throw PatternError("'\(scalar)' at character \(position) repeats nothing")
    default: return literal(scalar)
    }
  }

  private func literal(_ scalar: Unicode.Scalar) -> PatternNode {
    let range = scalar.value...scalar.value
    return .set(ScalarSet([(.range(range), false)], ignoringCase: options.ignoresCase))
  }

  private mutating func escape() throws -> PatternNode {
    let anchors: [Unicode.Scalar: PatternNode.Anchor] = [
      "b": .wordEdge, "B": .noWordEdge, "A": .textStart, "z": .textEnd, "Z": .lastLineEnd,
    ]
    if let scalar = next, let anchor = anchors[scalar] {
      position += 1
      return .anchor(anchor)
    }
    if take("R") { return .lineBreak }
    if take("N") { return .notNewline }
    if take("O") { return .any }
    let item = try escapedItem()
    return .set(ScalarSet([item], ignoringCase: options.ignoresCase))
  }
}
