// Groups of patterns: (?:…), (?=…), (?<=…), (?>…), (?<name>…), (?imx-imx:…) and the like.

extension PatternParser {
  /// What follows `(`, up to and with the closing `)`; groups do not capture anything.
  mutating func group() throws -> PatternNode {
    let start = position
    let outer = options
    defer { options = outer }
    let node: PatternNode
    if !take("?") || take(":") {
      node = try alternatives()
    } else if take("=") {
      node = .look(try alternatives(), isNegative: false)
    } else if take("!") {
      node = .look(try alternatives(), isNegative: true)
    } else if take("<=") {
      node = .lookBehind(try alternatives(), isNegative: false)
    } else if take("<!") {
      node = .lookBehind(try alternatives(), isNegative: true)
    } else if take(">") {
      node = .atomic(try alternatives())
    } else if takeName() {
      node = try alternatives()
    } else {
      try readOptions(start)
      // Without a colon the options hold for the rest of the group around, `|` included.
      if take(")") { return try alternatives() }
      guard take(":") else { throw unsupported(start) }
      node = try alternatives()
    }
    guard take(")") else { throw PatternError("a group is not closed") }
    return node
  }

  private mutating func takeName() -> Bool {
    guard next == "<", let end = text[position...].firstIndex(of: ">"),
      text[(position + 1)..<end].allSatisfy(\.isWord), end > position + 1
    else { return false }
    position = end + 1
    return true
  }

  private mutating func readOptions(_ start: Int) throws {
    var value = true
    while let scalar = next, scalar != ")", scalar != ":" {
      switch scalar {
      case "-": value = false
      case "i": options.ignoresCase = value
      case "m": options.dotMatchesNewline = value
      case "x": options.isExtended = value
      default: throw unsupported(start)
      }
      position += 1
    }
  }

  private func unsupported(_ start: Int) -> PatternError {
    PatternError("the group at character \(start) is of a kind not supported")
  }
}

extension PatternNode {
  static let any = PatternNode.set(ScalarSet([(.range(0...0x10FFFF), false)]))
  static let notNewline = PatternNode.set(ScalarSet([(.range(10...10), false)], isNegated: true))

  /// `\R`: a line break, of which `\r\n` is one.
  static let lineBreak = PatternNode.atomic(
    .alternatives([
      .sequence([
        .set(ScalarSet([(.range(13...13), false)])), .set(ScalarSet([(.range(10...10), false)])),
      ]),
      .set(
        ScalarSet([
          (.range(10...13), false), (.range(0x85...0x85), false), (.range(0x2028...0x2029), false),
        ])),
    ]))

  /// How many characters the pattern may take, at least and at most; nil when there is no end.
  var width: (min: Int, max: Int?) {
    switch self {
    case .set: return (1, 1)
    case .look, .lookBehind, .anchor: return (0, 0)
    case .atomic(let node): return node.width
    case .sequence(let nodes):
      return nodes.map(\.width).reduce((0, 0)) { sum, width in
        (sum.min + width.min, sum.max.flatMap { max in width.max.map { max + $0 } })
      }
    case .alternatives(let nodes):
      let widths = nodes.map(\.width)
      let longest = widths.contains { $0.max == nil } ? nil : widths.compactMap(\.max).max()
      return (widths.map(\.min).min() ?? 0, longest)
    case .repetition(let node, let least, let most, _):
      let width = node.width
      let longest = width.max == 0 ? 0 : most.flatMap { most in width.max.map { $0 * most } }
      return (width.min * least, longest)
    }
  }
}
