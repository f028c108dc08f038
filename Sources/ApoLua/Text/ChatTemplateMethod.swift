// `tok:apply_chat_template`.

import Lua
import Models
import Text

private let chatOptions = [
  Parameter(
    "add_generation_prompt", .boolean, "end with the start of an assistant message",
    default: false),
  Parameter(
    "continue_final_message", .boolean, "end with the last message's content, without closing it",
    default: false),
  Parameter("tokenize", .boolean, "return token ids instead of text", default: false),
  Parameter(
    "tools", .oneOf([.list(of: .table), .string]), "tools in JSON schema, or their JSON text",
    optional: true),
  Parameter(
    "documents", .oneOf([.list(of: .table), .string]), "documents with `title` and `text`",
    optional: true),
  Parameter(
    "enable_thinking", .boolean, "a variable of templates such as Qwen3's", optional: true),
  Parameter(
    "chat_template_kwargs", .table, "other variables of the template, by name", optional: true),
  Parameter(
    "template", .string, "which template, if the tokenizer has several", optional: true),
  Parameter(
    "chat_template", .oneOf([.string, .function]),
    "a template, or a function of (messages, options) that returns the text", optional: true),
]

/// `tok:apply_chat_template`.
let applyChatTemplateMethod = Function(
  "apply_chat_template", "Renders messages with the model's chat template.",
  [
    Parameter(
      "messages", .oneOf([.table, .string]),
      "a list of tables with `role`, `content` and whatever the template reads; or its JSON text"),
    Parameter("options", .options(chatOptions), "see below", optional: true),
  ],
  returns: [
    Returned(.oneOf([.string, .list(of: .integer())]), "the text, or with `tokenize` its ids")
  ],
  details: """
    As in Hugging Face's transformers, except that `tokenize` is off by default. The text contains
    the special tokens, so encode it with `add_special_tokens = false`, as `tokenize` does.
    """,
  example: """
    local tok = apo.char_tokenizer{alphabet = "0123456789+="}
    tok.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    print(tok:apply_chat_template{{role = "user", content = "2+2="}})
    """
) { call in
  let object = try call.this(TokenizerObject.self)
  let options = try call[2].options()
  let text: String
  let template = try options["chat_template"]
  if template.kind == .function {
    text = try callTemplate(template.reference(), call)
  } else {
    text = try object.render(request(call, options, template.ifPresent?.utf8Text("chat_template")))
  }
  guard try options["tokenize"].boolean() else { return call.result(text) }
  return try call.result(object.tokenizer.encode(text, addSpecialTokens: false))
}

private func request(
  _ call: Call, _ options: Options, _ template: String?
) throws -> ChatRequest {
  let reader = ChatMessages(function: "apply_chat_template")
  var request = ChatRequest(
    function: reader.function, messages: try reader.messages(call[1]))
  request.template = template
  request.name = try options["template"].ifPresent?.utf8Text("template")
  request.addsGenerationPrompt = try options["add_generation_prompt"].boolean()
  request.continuesFinalMessage = try options["continue_final_message"].boolean()
  request.tools = try reader.objects(options["tools"], "tools")
  request.documents = try reader.objects(options["documents"], "documents")
  if let thinks = try options["enable_thinking"].ifPresent?.boolean() {
    request.variables.append(JSON.Member("enable_thinking", .bool(thinks)))
  }
  request.variables += try reader.variables(
    options["chat_template_kwargs"], "chat_template_kwargs")
  return request
}

/// The text returned by a script's function.
private func callTemplate(_ function: LuaReference, _ call: Call) throws -> String {
  let options: LuaValue =
    call[2].isAbsent ? .table(LuaTable()) : .reference(try call[2].reference())
  let results = try call.state.call(function, [.reference(call[1].reference()), options])
  guard let text = results.first?.asString else {
    throw LuaError("apply_chat_template: the function 'chat_template' must return a text of UTF-8")
  }
  return text
}

extension Argument {
  /// A text; throws unless its bytes are UTF-8.
  fileprivate func utf8Text(_ name: String) throws -> String {
    guard let text = String(validating: try bytes(), as: UTF8.self) else {
      throw LuaError("apply_chat_template: option '\(name)' is not valid UTF-8")
    }
    return text
  }
}

/// `tok.chat_template`.
let chatTemplateProperty = Property(
  "chat_template", .string,
  "The template of `apply_chat_template`, or nil; can be assigned.",
  set: { call in
    let text = try call[1].bytes()
    guard let text = String(validating: text, as: UTF8.self) else {
      throw LuaError("chat_template: the text is not valid UTF-8")
    }
    _ = try ChatTemplate(text, source: "chat_template")
    try call.this(TokenizerObject.self).chatTemplate = text
    return call.nothing
  },
  get: { call in
    let object = try call.this(TokenizerObject.self)
    let text = try object.chatTemplate ?? object.templates().choose(nil, hasTools: false)?.text
    return try call.result(text.map { LuaValue.string($0) } ?? .nil)
  })
