// The `pre_tokenizer` of a tokenizer.json: splits a text into pieces that merges do not cross.

import Core

/// A text and the ranges of its pieces.
struct Pieces {
  var bytes: [UInt8]
  var ranges: [Range<Int>]
  /// Whether the first piece begins the whole text.
  var isAtStart: Bool
  var budget: PatternBudget

  init(_ bytes: [UInt8], isAtStart: Bool, budget: PatternBudget) {
    self.bytes = bytes
    self.isAtStart = isAtStart
    self.budget = budget
    ranges = bytes.isEmpty ? [] : [0..<bytes.count]
  }
}

/// What happens to the matches of a split.
enum SplitBehavior: String {
  case removed = "Removed"
  case isolated = "Isolated"
  case contiguous = "Contiguous"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
}

indirect enum PreTokenizer: Sendable {
  case sequence([PreTokenizer])
  case split(Pattern, SplitBehavior, inverted: Bool)
  case byteLevel(addsPrefixSpace: Bool)
  case metaspace(Metaspace)
  case fixedLength(Int)

  init(_ fields: JSONFields) throws {
    let type = try fields.string("type")
    switch type.asName {
    case "Sequence":
      self = .sequence(try fields.objects("pretokenizers").map { try PreTokenizer($0) })
    case "Split":
      self = .split(
        try fields.pattern("pattern"), try fields.behavior(),
        inverted: try fields.bool("invert", default: false))
    case "ByteLevel": self = try Self.byteLevel(fields)
    case "Metaspace": self = .metaspace(try Metaspace(fields))
    case "Digits":
      let isEach = try fields.bool("individual_digits", default: false)
      self = .split(try Pattern(#"\p{N}"#), isEach ? .isolated : .contiguous, inverted: false)
    case "Whitespace":
      let word = ScalarSet([(.rustWord, false)])
      let other = ScalarSet([(.rustWord, false), (.whitespace, false)], isNegated: true)
      let runs = try Pattern(runs: [word, other], upTo: nil)
      self = .split(runs, .removed, inverted: true)
    case "WhitespaceSplit": self = .split(try Pattern(#"\s"#), .removed, inverted: false)
    case "Punctuation":
      self = .split(try Self.punctuation, try fields.behavior(default: "Isolated"), inverted: false)
    case "BertPreTokenizer":
      self = .sequence([
        .split(try Pattern(#"\s"#), .removed, inverted: false),
        .split(try Self.punctuation, .isolated, inverted: false),
      ])
    case "CharDelimiterSplit":
      let delimiter = try Pattern(literal: fields.string("delimiter"))
      self = .split(delimiter, .removed, inverted: false)
    case "FixedLength":
      self = .fixedLength(try fields.integer("length", in: 1...1_000_000, default: 5))
    default: throw fields.error("type", "'\(type)' is not a supported pre-tokenizer")
    }
  }

  private static var punctuation: Pattern {
    get throws { try Pattern(runs: [ScalarSet([(.rustPunctuation, false)])], upTo: 1) }
  }

  private static func byteLevel(_ fields: JSONFields) throws -> PreTokenizer {
    let addsPrefixSpace = try fields.bool("add_prefix_space", default: true)
    let map = PreTokenizer.byteLevel(addsPrefixSpace: addsPrefixSpace)
    guard try fields.bool("use_regex", default: true) else { return map }
    // The space comes first: it belongs to the first word.
    let space = PreTokenizer.metaspace(Metaspace(prefixSpace: addsPrefixSpace))
    let split = PreTokenizer.split(try Pattern(ByteLevel.pattern), .isolated, inverted: false)
    return .sequence([space, split, .byteLevel(addsPrefixSpace: false)])
  }

  func apply(_ pieces: inout Pieces) throws {
    switch self {
    case .sequence(let steps):
      for step in steps {
        try pieces.budget.spend(bytes: pieces.bytes.count)
        try step.apply(&pieces)
      }
    case .split(let pattern, let behavior, let inverted):
      try pieces.split(pattern, behavior, inverted: inverted)
    case .byteLevel(let addsPrefixSpace):
      if addsPrefixSpace { try Metaspace(prefixSpace: true).apply(&pieces) }
      try pieces.rewrite { try ByteLevel.append($1, to: &$2) }
    case .metaspace(let metaspace): try metaspace.apply(&pieces)
    case .fixedLength(let length): try pieces.split(every: length)
    }
  }
}

extension JSONFields {
  fileprivate func behavior(default other: String? = nil) throws -> SplitBehavior {
    let name = try string("behavior", default: other)
    guard let behavior = SplitBehavior(rawValue: name.asName) else {
      throw error(
        "behavior",
        "'\(name)' is not one of Removed, Isolated, Contiguous, "
          + "MergedWithPrevious, MergedWithNext")
    }
    return behavior
  }
}
