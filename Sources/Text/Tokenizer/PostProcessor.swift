import Core

/// The ids that the `post_processor` of a tokenizer.json puts around a single text.
struct PostProcessor: Sendable {
  private(set) var prefix: [Int] = []
  private(set) var suffix: [Int] = []
  /// Whether a template has put tokens around the text: the `tokenizers` library would apply what
  /// follows to each of its parts.
  private var isTemplate = false

  init(_ fields: JSONFields?) throws {
    guard let fields else { return }
    let type = try fields.string("type")
    switch type.asName {
    // ByteLevel only moves offsets, which are not computed here.
    case "ByteLevel": return
    case "Sequence":
      for (number, processor) in try fields.objects("processors").enumerated() {
        let inner = try PostProcessor(processor)
        guard !isTemplate || inner.prefix.isEmpty && inner.suffix.isEmpty else {
          throw fields.error("processors[\(number)]", "behind a template must not add tokens")
        }
        isTemplate = isTemplate || inner.isTemplate
        prefix = inner.prefix + prefix
        suffix += inner.suffix
      }
    case "TemplateProcessing": try read(template: fields)
    case "BertProcessing", "RobertaProcessing":
      prefix = [try Self.id("cls", fields)]
      suffix = [try Self.id("sep", fields)]
    default: throw fields.error("type", "'\(type)' is not a supported post-processor")
    }
  }

  private mutating func read(template fields: JSONFields) throws {
    var hasText = false
    for item in try fields.objects("single") {
      if let special = try item.object("SpecialToken") {
        let ids = try Self.ids(try special.string("id"), fields)
        if hasText { suffix += ids } else { prefix += ids }
      } else if item["Sequence"] != nil, !hasText {
        hasText = true
      } else {
        throw fields.error("single", "must be special tokens around one sequence")
      }
    }
    isTemplate = !prefix.isEmpty || !suffix.isEmpty
    guard hasText else { throw fields.error("single", "must contain the sequence") }
  }

  /// The id of a token written `["</s>", 2]`.
  private static func id(_ key: String, _ fields: JSONFields) throws -> Int {
    let pair = try fields.array(key)
    guard pair.count == 2, case .string = pair[0], case .integer(let id) = pair[1],
      (0...BPE.largestID).contains(id)
    else { throw fields.error(key, "must be a token and its id, got \(JSON.array(pair).excerpt)") }
    return id
  }

  private static func ids(_ name: String, _ fields: JSONFields) throws -> [Int] {
    guard let token = try fields.object("special_tokens")?.object(name) else {
      throw fields.error("special_tokens", "lacks '\(name)', which the template uses")
    }
    return try token.array("ids").map {
      guard case .integer(let id) = $0, (0...BPE.largestID).contains(id) else {
        throw token.error("ids", "must be a list of token ids, got \($0.excerpt) in it")
      }
      return id
    }
  }
}
