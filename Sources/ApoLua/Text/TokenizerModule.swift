// `apo.tokenizer`, `apo.char_tokenizer` and the class `apo.Tokenizer`.

import Lua
import Models
import Text

/// A tokenizer with the files to save with a model.
final class TokenizerObject: LuaObject {
  static let luaName = "apo.Tokenizer"
  let tokenizer: Tokenizer
  /// A template that a script has set.
  var chatTemplate: String?
  private let ownFiles: [String: [UInt8]]
  private let folder: String
  private var foundTemplates: ChatTemplates?
  private var parsedTemplate: ChatTemplate?

  init(_ tokenizer: Tokenizer, files: [String: [UInt8]], folder: String = "") {
    self.tokenizer = tokenizer
    ownFiles = files
    self.folder = folder
  }

  /// The files to save with a model; an assigned template becomes a separate file.
  var files: [String: [UInt8]] {
    var files = ownFiles
    if let chatTemplate { files["chat_template.jinja"] = Array(chatTemplate.utf8) }
    return files
  }

  /// The templates of its folder, read on first use.
  func templates() throws -> ChatTemplates {
    if let foundTemplates { return foundTemplates }
    let templates = try ChatTemplates(files: ownFiles, folder: folder)
    foundTemplates = templates
    return templates
  }

  /// A template, parsed once for many calls.
  func parsed(_ text: String, _ source: String) throws -> ChatTemplate {
    if let parsedTemplate, parsedTemplate.source == source,
      parsedTemplate.text.utf8.elementsEqual(text.utf8)
    {
      return parsedTemplate
    }
    let template = try ChatTemplate(text, source: source)
    parsedTemplate = template
    return template
  }

  /// The tokenizer of a model folder or of a tokenizer.json.
  convenience init(path: String) throws {
    let tokenizer =
      try ModelFolder.isTokenizerFile(path) ? Tokenizer(file: path) : Tokenizer(folder: path)
    let folder =
      ModelFolder.isTokenizerFile(path) ? path.split(separator: "/").dropLast() : [path[...]]
    self.init(
      tokenizer, files: try ModelFolder.readTokenizerFiles(path), folder: String(folder.last ?? ""))
  }
}

private let tokenizerResult = [Returned(.object(TokenizerObject.self), "the tokenizer")]

/// The functions that create tokenizers.
let tokenizerFunctions = [
  Function(
    "tokenizer", "Reads the tokenizer of a Hugging Face model.",
    [Parameter("path", .string, "a model folder, or a tokenizer.json")], returns: tokenizerResult
  ) { call in try call.result(TokenizerObject(path: call.path())) },
  Function(
    "char_tokenizer", "Makes a tokenizer whose tokens are single characters.",
    [
      Parameter(
        "options",
        .options([
          Parameter("alphabet", .string, "the characters; their ids follow the special tokens'"),
          Parameter("eos", .string, "the token that ends a text", default: "<eos>"),
          Parameter("bos", .string, "the token that begins a text", optional: true),
          Parameter("pad", .string, "the token for padding", optional: true),
          Parameter("unknown", .string, "the token for all other characters", optional: true),
        ]), "see below")
    ],
    returns: tokenizerResult,
    details: """
      For small models of your own. Special tokens get the first ids, the end token id 0. Without
      `unknown`, other characters are dropped.
      """,
    example: #"local tok = apo.char_tokenizer{alphabet = "0123456789+="}"#
  ) { call in try call.result(characterTokenizer(call[1].options())) },
]

private func characterTokenizer(_ options: Options) throws -> TokenizerObject {
  func text(_ name: String) throws -> String? {
    guard let bytes = try options[name].ifPresent?.bytes() else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LuaError("char_tokenizer: option '\(name)' is not valid UTF-8")
    }
    return text
  }
  let eos = try text("eos") ?? ""
  let others = try ["bos", "pad", "unknown"].map { try text($0) }
  var special = [eos]
  for case let name? in others where !special.contains(name) { special.append(name) }
  let (json, configuration) = try CharacterTokenizer.make(
    characters: (text("alphabet") ?? "").unicodeScalars.map { String($0) }, special: special,
    eos: eos, bos: others[0], pad: others[1], unknown: others[2])
  let tokenizer = try Tokenizer(
    JSONFields(json, file: "char_tokenizer"),
    names: JSONFields(configuration, file: "char_tokenizer"))
  return TokenizerObject(
    tokenizer,
    files: [
      "tokenizer.json": Array(try json.text(pretty: true).utf8),
      "tokenizer_config.json": Array(try configuration.text(pretty: true).utf8),
    ])
}

let tokenizerClass = Class(
  TokenizerObject.self, "Turns text into token ids and back.",
  details: "Ids are the tokenizer's own numbers and count from 0. `#tok` is how many there are.",
  methods: [
    Function(
      "encode", "Encodes a text as token ids.",
      [
        Parameter("text", .string, "the text, UTF-8"),
        Parameter(
          "options",
          .options([
            Parameter(
              "add_special_tokens", .boolean,
              "add the special tokens that the model expects, such as a BOS token",
              default: true)
          ]), "see below", optional: true),
      ], returns: [Returned(.list(of: .integer()), "the ids")]
    ) { call in
      let special = try call[2].options()["add_special_tokens"].boolean()
      return try call.result(
        call.tokenizer().encode(utf8: call[1].bytes(), addSpecialTokens: special))
    },
    Function(
      "decode", "Decodes token ids to text.",
      [
        Parameter("ids", .list(of: .integer()), "the ids"),
        Parameter(
          "options",
          .options([
            Parameter(
              "skip_special_tokens", .boolean, "skip special tokens", default: false)
          ]), "see below", optional: true),
      ], returns: [Returned(.string, "the text")],
      details: """
        An id without a token, which a model with padded embeddings may sample, gives no text, as \
        in `completion.text`. Ids below 0 or above 4294967295 are an error.
        """
    ) { call in
      let skip = try call[2].options()["skip_special_tokens"].boolean()
      return call.result(
        try call.tokenizer().decode(call[1].integers(), skipSpecialTokens: skip))
    },
    applyChatTemplateMethod,
    Function(
      "token", "Returns a token as the vocabulary spells it.",
      [Parameter("id", .integer(), "its id")], returns: [Returned(.string, "the token")]
    ) { call in call.result(try call.tokenizer().token(call[1].integer())) },
    Function(
      "id", "Returns the id of a token.",
      [Parameter("token", .string, "the token as the vocabulary spells it")],
      returns: [Returned(.integer(), "the id, or nil")]
    ) { call in
      // Invalid UTF-8 is not a token, nor is it the replacement character's.
      let text = String(validating: try call[1].bytes(), as: UTF8.self)
      let id = try text.flatMap { try call.tokenizer().id($0) }
      return try call.result(LuaValue(id))
    },
    Function(
      "is_special", "Returns whether an id is a special token.",
      [Parameter("id", .integer(), "the id")], returns: [Returned(.boolean, "the answer")]
    ) { call in call.result(try call.tokenizer().isSpecial(call[1].integer())) },
    Function("__len", "The number of tokens.", returns: [Returned(.integer(), "the number")]) {
      call in call.result(try call.tokenizer().vocabularySize)
    },
    Function("__tostring", "What it is.", returns: [Returned(.string, "one line")]) { call in
      let tokenizer = try call.tokenizer()
      return call.result("apo.Tokenizer of \(tokenizer.vocabularySize) tokens")
    },
    Function(
      "__eq", "Whether both are the same tokenizer.",
      [Parameter("a", .any, "one side"), Parameter("b", .any, "the other side")],
      returns: [Returned(.boolean, "the answer")]
    ) { call in
      let (a, b) = (call[1].ifObject(TokenizerObject.self), call[2].ifObject(TokenizerObject.self))
      return call.result(a != nil && a === b)
    },
  ],
  properties: [
    Property("eos_id", .integer(), "The token that ends a text, or nil.") {
      try $0.result(LuaValue($0.tokenizer().eosID))
    },
    Property("bos_id", .integer(), "The token that begins a text, or nil.") {
      try $0.result(LuaValue($0.tokenizer().bosID))
    },
    chatTemplateProperty,
    Property("pad_id", .integer(), "The padding token, or nil.") {
      try $0.result(LuaValue($0.tokenizer().padID))
    },
  ])

extension Call {
  fileprivate func tokenizer() throws -> Tokenizer { try this(TokenizerObject.self).tokenizer }
}

extension LuaValue {
  /// An integer, or nil.
  init(_ value: Int?) { self = value.map { .integer($0) } ?? .nil }
}
