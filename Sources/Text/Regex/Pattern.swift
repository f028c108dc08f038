// A regular expression over UTF-8. We do not use Foundation because the tokenizers' patterns are
// written for Oniguruma, whose classes differ (ICU's \s lacks U+0085 and U+000B), and because
// splitting takes most of a tokenizer's time. The pattern is compiled to a short program that a
// backtracking machine runs; its stack is on the heap, so long texts cannot overflow it.

import Core

struct Pattern: Sendable {
  enum Instruction: Sendable {
    case set(Int)
    /// Repeats a set greedily; never gives back when possessive.
    case repeatSet(Int, min: Int, max: Int, isPossessive: Bool)
    /// Tries the next instruction first, then the one at the target.
    case split(other: Int)
    /// Tries the target first, then the next instruction.
    case splitLazy(other: Int)
    case jump(Int)
    /// The instructions up to `end` are a separate program that must (not) match here.
    case look(end: Int, isNegative: Bool)
    /// The same for a program that ends here and began from `min` to `max` characters before.
    case lookBehind(end: Int, min: Int, max: Int, isNegative: Bool)
    /// The instructions up to `end` match atomically, without backtracking into them.
    case atomic(end: Int)
    case anchor(PatternNode.Anchor)
    /// Records where an iteration of a loop starts.
    case mark(Int)
    /// Leaves the loop if the iteration since the mark was empty.
    case leaveIfEmpty(mark: Int, exit: Int)
    case accept
  }

  private(set) var program: [Instruction] = []
  private(set) var sets: [ScalarSet] = []
  private(set) var markCount = 0
  /// How often parts were compiled; some, such as an empty group, leave no instruction.
  private var partCount = 0
  /// The pattern as it was written, for errors.
  let source: String

  /// Compiles a pattern; throws `PatternError` when it uses something that is not supported.
  init(_ pattern: String) throws {
    source = pattern
    try compile(PatternParser.parse(pattern))
    program.append(.accept)
  }

  /// A pattern for a text itself.
  init(literal: String) throws {
    source = literal
    let nodes = literal.unicodeScalars.map {
      PatternNode.set(ScalarSet([(.range($0.value...$0.value), false)]))
    }
    try compile(.sequence(nodes))
    program.append(.accept)
  }

  /// A pattern for runs of characters, each run of one of the sets; the first that fits counts.
  init(runs sets: [ScalarSet], upTo longest: Int?) throws {
    source = "a set of characters"
    try compile(.alternatives(sets.map { .repetition(.set($0), min: 1, max: longest, .greedy) }))
    program.append(.accept)
  }

  private mutating func compile(_ node: PatternNode) throws {
    partCount += 1
    if max(program.count, partCount) > 20_000 { throw PatternError("the pattern is too long") }
    switch node {
    case .set(let set):
      program.append(.set(sets.count))
      sets.append(set)
    case .sequence(let nodes): for node in nodes { try compile(node) }
    case .alternatives(let nodes): try compile(alternatives: nodes)
    case .repetition(let node, let min, let max, let greed):
      try compile(repeating: node, min, max, greed)
    case .look(let node, let isNegative):
      try compile(body: node) { .look(end: $0, isNegative: isNegative) }
    case .lookBehind(let node, let isNegative):
      let width = node.width
      try compile(body: node) {
        .lookBehind(end: $0, min: width.min, max: width.max ?? .max, isNegative: isNegative)
      }
    case .atomic(let node): try compile(body: node) { .atomic(end: $0) }
    case .anchor(let anchor): program.append(.anchor(anchor))
    }
  }

  private mutating func compile(
    body: PatternNode, _ instruction: (_ end: Int) -> Instruction
  ) throws {
    let start = program.count
    program.append(.accept)
    try compile(body)
    program.append(.accept)
    program[start] = instruction(program.count)
  }

  private mutating func compile(alternatives nodes: [PatternNode]) throws {
    var jumps: [Int] = []
    for (index, node) in nodes.enumerated() {
      let split = program.count
      let isLast = index == nodes.count - 1
      if !isLast { program.append(.accept) }
      try compile(node)
      if isLast { break }
      jumps.append(program.count)
      program.append(.accept)
      program[split] = .split(other: program.count)
    }
    for jump in jumps { program[jump] = .jump(program.count) }
  }

  private mutating func compile(
    repeating node: PatternNode, _ min: Int, _ max: Int?, _ greed: PatternNode.Greed
  ) throws {
    if case .set(let set) = node, greed != .lazy {
      program.append(
        .repeatSet(sets.count, min: min, max: max ?? .max, isPossessive: greed == .possessive))
      sets.append(set)
      return
    }
    if greed == .possessive {
      return try compile(.atomic(.repetition(node, min: min, max: max, .greedy)))
    }
    for _ in 0..<min { try compile(node) }
    guard let max else { return try compile(loop: node, greed) }
    var splits: [Int] = []
    for _ in min..<max {
      splits.append(program.count)
      program.append(.accept)
      try compile(node)
    }
    for split in splits {
      program[split] =
        greed == .lazy ? .splitLazy(other: program.count) : .split(other: program.count)
    }
  }

  private mutating func compile(loop node: PatternNode, _ greed: PatternNode.Greed) throws {
    let start = program.count
    program.append(.accept)
    let mark = node.canBeEmpty ? markCount : nil
    if let mark {
      markCount += 1
      program.append(.mark(mark))
    }
    try compile(node)
    let check = program.count
    if mark != nil { program.append(.accept) }
    program.append(.jump(start))
    let exit = program.count
    if let mark { program[check] = .leaveIfEmpty(mark: mark, exit: exit) }
    program[start] = greed == .lazy ? .splitLazy(other: exit) : .split(other: exit)
  }
}

/// The remaining step budget of patterns on a text.
///
/// A pattern such as `(a|a)*b` can need a number of steps that is exponential in the length of the
/// text; what tokenizers use comes nowhere near this bound.
///
/// Spending also checks for interrupts now and then.
struct PatternBudget {
  private(set) var steps: Int

  /// For a text of some bytes.
  init(bytes: Int) { steps = 1_000_000 + 500 * min(bytes, 1 << 40) }

  /// Adds the budget of further bytes.
  mutating func add(bytes: Int) { steps += 500 * min(bytes, 1 << 40) }

  /// Charges for bytes that a tokenizer step reads or creates: repeated lengthening steps could
  /// exhaust memory.
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
