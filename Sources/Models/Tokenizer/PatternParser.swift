// The syntax of patterns in tokenizer.json: Oniguruma's, as far as published tokenizers use it.
// Refused with an error: look-behind, back-references, scripts such as \p{Han}, nested classes.

/// A parsed pattern.
indirect enum PatternNode {
  enum Greed { case greedy, lazy, possessive }
  enum Anchor: Sendable {
    case lineStart, lineEnd, textStart, textEnd, lastLineEnd, wordEdge, noWordEdge
  }

  case set(ScalarSet)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  case repetition(PatternNode, min: Int, max: Int?, Greed)
  case look(PatternNode, isNegative: Bool)
  case atomic(PatternNode)
  case anchor(Anchor)

  /// Whether the pattern can match nothing.
  var canBeEmpty: Bool {
    switch self {
    case .set: false
    case .sequence(let nodes): nodes.allSatisfy(\.canBeEmpty)
    case .alternatives(let nodes): nodes.contains(where: \.canBeEmpty)
    case .repetition(let node, let min, _, _): min == 0 || node.canBeEmpty
    case .look, .anchor: true
    case .atomic(let node): node.canBeEmpty
    }
  }
}

struct PatternError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

struct PatternParser {
  let text: [Unicode.Scalar]
  var position = 0
  var ignoresCase = false
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

  private mutating func alternatives() throws -> PatternNode {
    depth += 1
    defer { depth -= 1 }
    if depth > 100 { throw PatternError("groups are nested too deep") }
    let outerCase = ignoresCase
    defer { ignoresCase = outerCase }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence() throws -> PatternNode {
    var nodes: [PatternNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if let node = try atom() { nodes.append(try repeated(node)) }
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  private mutating func repeated(_ node: PatternNode) throws -> PatternNode {
    var node = node
    while let (min, max, isInterval) = try quantifier() {
      // In Oniguruma's Ruby syntax `{n,m}+` and `{n}?` are intervals that are themselves repeated.
      let isLazy = !(isInterval && min == max) && take("?")
      let greed: PatternNode.Greed =
        isLazy ? .lazy : !isInterval && take("+") ? .possessive : .greedy
      if max == nil, node.canBeEmpty {
        throw PatternError("an endless repetition of something that can be empty is not supported")
      }
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

  /// One atom; nil for a setting such as `(?i)`.
  private mutating func atom() throws -> PatternNode? {
    guard let scalar = next else { throw PatternError("the pattern ends too early") }
    position += 1
    switch scalar {
    case "(":
      // A setting holds up to the end of the group it stands in.
      if take("?i)") {
        ignoresCase = true
        return nil
      }
      return try group()
    case "[": return .set(try characterClass())
    case ".": return .set(ScalarSet([(.range(10...10), false)], isNegated: true))
    case "^": return .anchor(.lineStart)
    case "$": return .anchor(.lineEnd)
    case "\\": return try escape()
    case "*", "+", "?": throw PatternError("'\(scalar)' at character \(position) repeats nothing")
    default: return literal(scalar)
    }
  }

  private func literal(_ scalar: Unicode.Scalar) -> PatternNode {
    let range = scalar.value...scalar.value
    return .set(ScalarSet([(.range(range), false)], ignoringCase: ignoresCase))
  }

  /// What follows `(`, up to and with the closing `)`; groups do not capture anything.
  private mutating func group() throws -> PatternNode {
    let outerCase = ignoresCase
    defer { ignoresCase = outerCase }
    let node: PatternNode
    if !take("?") || take(":") {
      node = try alternatives()
    } else if take("=") {
      node = .look(try alternatives(), isNegative: false)
    } else if take("!") {
      node = .look(try alternatives(), isNegative: true)
    } else if take(">") {
      node = .atomic(try alternatives())
    } else if take("i:") {
      ignoresCase = true
      node = try alternatives()
    } else if take("-i:") {
      ignoresCase = false
      node = try alternatives()
    } else {
      throw PatternError("the group at character \(position - 1) is of a kind not supported")
    }
    guard take(")") else { throw PatternError("a group is not closed") }
    return node
  }

  private mutating func escape() throws -> PatternNode {
    let anchors: [Unicode.Scalar: PatternNode.Anchor] = [
      "b": .wordEdge, "B": .noWordEdge, "A": .textStart, "z": .textEnd, "Z": .lastLineEnd,
    ]
    if let scalar = next, let anchor = anchors[scalar] {
      position += 1
      return .anchor(anchor)
    }
    let item = try escapedItem()
    return .set(ScalarSet([item], ignoringCase: ignoresCase))
  }
}
