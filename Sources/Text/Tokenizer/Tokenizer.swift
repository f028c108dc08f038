import Core
import Synchronization

/// A tokenizer, built from the components of a tokenizer.json.
///
/// Text goes through these steps: added tokens are extracted, the rest is normalized, split into
/// pieces and encoded piece by piece; the post-processor adds special tokens. Results equal those
/// of the Hugging Face `tokenizers` library; offsets, text pairs, truncation and padding are not
/// supported.
public final class Tokenizer: Sendable {
  /// The file it was read from.
  public let source: String
  /// Number of tokens including added ones; Hugging Face's `len(tokenizer)`.
  public let vocabularySize: Int
  /// The token that begins a text, where `tokenizer_config.json` names one.
  public let bosID: Int?
  /// The token that ends a text, where `tokenizer_config.json` names one.
  public let eosID: Int?
  /// The token for padding, where `tokenizer_config.json` names one.
  public let padID: Int?

  let model: BPE
  let decoderSteps: [DecoderStep]
  /// For each id its index in the vocabulary, or -1.
  private let indexOfID: [Int32]
  let addedByID: [Int: AddedToken]
  /// Decoded added tokens: those matched in normalized text are normalized.
  private let decodedByID: [Int: [UInt8]]
  /// Ids that `skipSpecialTokens` skips.
  private let skippedIDs: Set<Int>
  private let normalizer: Normalizer?
  private let preTokenizer: PreTokenizer?
  private let postProcessor: PostProcessor
  private let originalFinder: AddedTokenFinder
  private let normalizedFinder: AddedTokenFinder
  private let encoder: Mutex<BPEEncoder>

  /// Reads `tokenizer.json` and `tokenizer_config.json` of a model folder.
  public convenience init(folder: String) throws {
    try self.init(file: "\(folder)/tokenizer.json")
  }

  /// Reads a tokenizer.json, and the `tokenizer_config.json` beside it if there.
  ///
  /// Throws a `FileError` that names file and field when a component is unknown or inconsistent.
  public convenience init(file: String) throws {
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    func fields(_ name: String) throws -> JSONFields? {
      try checkLink(folder + name)
      return fileExists(folder + name) ? try JSONFields(file: folder + name) : nil
    }
    let config = try fields("tokenizer_config.json")
    let names = try Self.names(config, map: fields("special_tokens_map.json"))
    try self.init(JSONFields(file: file), names: names)
    if config?["added_tokens_decoder"] == nil, let added = try fields("added_tokens.json") {
      try check(added: added)
    }
  }

  /// Takes the contents of a tokenizer.json; `names` are the fields of a tokenizer_config.json.
  public init(_ fields: JSONFields, names: JSONFields?) throws {
    source = fields.file
    guard let model = try fields.object("model") else {
      throw fields.error("model", "is missing; it must be an object")
    }
    self.model = try BPE(model)
    let listed = try fields.objects("added_tokens").map { try AddedToken($0) }
    indexOfID = try Self.indices(self.model, fields)
    try Self.check(listed, self.model, indexOfID, fields)
    let added = AddedToken.numbered(listed, self.model)
    try Self.check(added, self.model, indexOfID, fields)
    addedByID = Dictionary(added.map { ($0.id, $0) }) { first, _ in first }
    let base = indexOfID
    vocabularySize =
      self.model.ids.count
      + addedByID.keys.count { $0 >= base.count || base[$0] < 0 }
    normalizer = try fields.object("normalizer").map { try Normalizer($0) }
    preTokenizer = try fields.object("pre_tokenizer").map { try PreTokenizer($0) }
    postProcessor = try PostProcessor(fields.object("post_processor"))
    decoderSteps = try DecoderStep.steps(fields.object("decoder"))
    originalFinder = try AddedTokenFinder(added.filter { !$0.isNormalized })
    let decoded = try Self.decoded(addedByID, normalizer, fields)
    decodedByID = decoded
    let special = Set(added.filter(\.isSpecial).map(\.content))
    skippedIDs = Set(decoded.filter { special.contains($0.value) }.keys)
    normalizedFinder = try AddedTokenFinder(added.filter(\.isNormalized)) {
      decoded[$0.id] ?? $0.content
    }
    encoder = Mutex(BPEEncoder(self.model))
    let find = { [model = self.model] (key: String) throws -> Int? in
      try Self.specialToken(names, key).flatMap { Self.id($0, added, model) }
    }
    bosID = try find("bos_token")
    eosID = try find("eos_token")
    padID = try find("pad_token")
    if let names { try check(names, fields) }
    for id in postProcessor.prefix + postProcessor.suffix where !contains(id) {
      throw fields.error("post_processor", "uses the id \(id), which is no token")
    }
  }

  /// The ids of a text, with the special tokens of the post-processor around them or not.
  ///
  /// A character that the vocabulary cannot express, even as bytes, becomes the unknown token, or
  /// nothing without one.
  public func encode(_ text: String, addSpecialTokens: Bool = true) throws -> [Int] {
    try encode(validated: Array(text.utf8), addSpecialTokens)
  }

  /// The ids of a text given as UTF-8; throws when the bytes are not valid UTF-8.
  public func encode(utf8: some Collection<UInt8>, addSpecialTokens: Bool = true) throws -> [Int] {
    guard String(validating: utf8, as: UTF8.self) != nil else {
      throw TokenizerError("the text is not valid UTF-8")
    }
    return try encode(validated: Array(utf8), addSpecialTokens)
  }

  /// The text of a list of ids.
  ///
  /// An id without a token gives no text: models with padded embeddings can sample such ids. Throws
  /// on ids below 0 or from 2^32 on.
  public func decode(_ ids: [Int], skipSpecialTokens: Bool = false) throws -> String {
    var stream = StreamDecoder(self, skipSpecialTokens: skipSpecialTokens)
    var text = ""
    for (number, id) in ids.enumerated() {
      if number % Interrupt.interval == Interrupt.interval - 1 { try Interrupt.check() }
      text += try stream.feed(id)
    }
    return try text + stream.finish()
  }

  /// The token with an id, as the vocabulary spells it; throws when there is none.
  public func token(_ id: Int) throws -> String { String(decoding: try bytes(id), as: UTF8.self) }

  /// The id of a token as the vocabulary spells it, or nil.
  public func id(_ token: String) -> Int? { Self.id(token, Array(addedByID.values), model) }

  /// Whether an id is that of a special token.
  public func isSpecial(_ id: Int) -> Bool { addedByID[id]?.isSpecial ?? false }

  /// Whether an id has a token.
  public func contains(_ id: Int) -> Bool {
    addedByID[id] != nil || indexOfID.indices.contains(id) && indexOfID[id] >= 0
  }

  /// Whether `skipSpecialTokens` skips an id.
  func isSkipped(_ id: Int) -> Bool { skippedIDs.contains(id) }

  /// The bytes of an id; nil if it has no token; throws if it is out of range.
  func text(_ id: Int) throws -> [UInt8]? {
    if contains(id) { return try bytes(id) }
    if UInt32(exactly: id) != nil { return nil }
    throw TokenizerError("token ids are from 0 to \(UInt32.max), got \(id)")
  }

  /// The decoded token; normalized if it is matched in normalized text.
  func bytes(_ id: Int) throws -> [UInt8] {
    if let decoded = decodedByID[id] { return decoded }
    guard contains(id) else {
      throw TokenizerError("there is no token \(id) (the vocabulary has \(vocabularySize))")
    }
    return Array(model.strings[Int(indexOfID[id])])
  }

  private func encode(validated text: [UInt8], _ addSpecialTokens: Bool) throws -> [Int] {
    guard text.count < 1 << 28 else {
      throw TokenizerError("a text of \(text.count) bytes is too long to be tokenized at once")
    }
    var ids = addSpecialTokens ? postProcessor.prefix : []
    var budget = PatternBudget(bytes: text.count)
    try encoder.withLock { encoder in
      try text.withUnsafeBufferPointer { bytes in
        try originalFinder.split(bytes) { range in
          var part = Normalizer.Text(bytes: Array(bytes[range]), budget: budget)
          try normalizer?.apply(&part)
          part.keepsStart = part.keepsStart && range.lowerBound == 0
          try encode(&part, &encoder, &ids)
          budget = part.budget
        } token: {
          ids.append($0.id)
        }
      }
    }
    if addSpecialTokens { ids += postProcessor.suffix }
    return ids
  }

  private func encode(
    _ text: inout Normalizer.Text, _ encoder: inout BPEEncoder, _ ids: inout [Int]
  ) throws {
    let isAtStart = text.keepsStart
    var budget = text.budget
    try text.bytes.withUnsafeBufferPointer { bytes in
      try normalizedFinder.split(bytes) { range in
        var pieces = Pieces(
          Array(bytes[range]), isAtStart: isAtStart && range.lowerBound == 0, budget: budget)
        try preTokenizer?.apply(&pieces)
        budget = pieces.budget
        try pieces.bytes.withUnsafeBufferPointer { bytes in
          for (number, range) in pieces.ranges.enumerated() {
            if number % Interrupt.interval == Interrupt.interval - 1 { try Interrupt.check() }
            try encoder.encode(UTF8Bytes(rebasing: bytes[range]), to: &ids)
          }
        }
      } token: {
        ids.append($0.id)
      }
    }
    text.budget = budget
  }
}
