// Renders messages to the text format that a model was trained on: chooses the template, sets its
// variables, and continues an unfinished message.

import Core
import Glibc
import Lua
import Models
import Text

/// A rendering request.
struct ChatRequest {
  /// The function for error texts.
  var function: String
  var messages: [JSON]
  var addsGenerationPrompt = false
  var continuesFinalMessage = false
  var tools = JSON.null
  var documents = JSON.null
  /// The text of a template that overrides the tokenizer's.
  var template: String?
  /// The name of one of the tokenizer's templates.
  var name: String?
  /// Further variables.
  var variables: [JSON.Member] = []
}

extension TokenizerObject {
  /// The rendered text.
  func render(_ request: ChatRequest) throws -> String {
    let function = request.function
    if request.continuesFinalMessage, request.addsGenerationPrompt {
      throw LuaError(
        "\(function): options 'continue_final_message' and 'add_generation_prompt' exclude each "
          + "other"
      )
    }
    do {
      let template = try chatTemplate(request)
      guard request.continuesFinalMessage else {
        return try template.render(variables(request), now: Self.now)
      }
      return try renderContinued(request, template)
    } catch let error as LuaError {
      throw error
    } catch {
      throw LuaError("\(function): \(error)")
    }
  }

  private static var now: Int { time(nil) }

  private func chatTemplate(_ request: ChatRequest) throws -> ChatTemplate {
    let given = (request.template ?? chatTemplate).map { ($0, "chat_template") }
    let hasTools = request.tools != .null
    guard
      let (text, source) = try request.name == nil
        ? given ?? templates().choose(nil, hasTools: hasTools)
        : templates().choose(request.name, hasTools: hasTools)
    else {
      throw LuaError(
        "\(request.function): the tokenizer has no chat template (no chat_template.jinja and no "
          + "'chat_template' in tokenizer_config.json); set tokenizer.chat_template, or take the "
          + "text of single messages: apo.dataset(path, {chat_template = false})")
    }
    return try parsed(text, source)
  }

  private func variables(_ request: ChatRequest) throws -> [JSON.Member] {
    try templates().specialTokens + [
      JSON.Member("messages", .array(request.messages.map(\.asChatMessage))),
      JSON.Member("tools", request.tools),
      JSON.Member("documents", request.documents),
      JSON.Member("add_generation_prompt", .bool(request.addsGenerationPrompt)),
    ] + request.variables
  }

  /// The text up to the end of the last message's content, found through a marker after it.
  private func renderContinued(_ request: ChatRequest, _ template: ChatTemplate) throws -> String {
    let fail = { (text: String) in LuaError("\(request.function): continue_final_message: \(text)")
    }
    guard var last = request.messages.last, let content = last["content"] else {
      throw fail("the last message has no 'content'")
    }
    let mark = "CONTINUE_FINAL_MESSAGE_TAG "
    guard let (marked, text) = Self.marked(content, mark) else {
      throw fail("the last message has no text")
    }
    last.set("content", marked)
    var request = request
    request.messages[request.messages.count - 1] = last
    let rendered = try template.render(variables(request), now: Self.now)
    let trimmed = text.trimmed
    guard trimmed.isEmpty || rendered.utf8.firstRange(of: trimmed.utf8) != nil,
      let place = rendered.utf8.ranges(of: mark.dropLast().utf8).last
    else { throw fail("the template does not show the last message's content") }
    let before = String(rendered[..<place.lowerBound])
    if rendered[place.upperBound...].unicodeScalars.first == " " { return before }
    var scalars = before.unicodeScalars
    while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return String(scalars)
  }

  /// The content with a marker after its last text, and that text.
  private static func marked(_ content: JSON, _ mark: String) -> (JSON, String)? {
    if case .string(let text) = content { return (.string(text + mark), text) }
    guard case .array(var parts) = content,
      let index = parts.lastIndex(where: { $0["text"] != nil }),
      case .string(let text)? = parts[index]["text"]
    else { return nil }
    parts[index].set("text", .string(text + mark))
    return (.array(parts), text)
  }
}

extension JSON {
  /// The message as transformers passes it to templates: without null fields, and with its
  /// reasoning under the names that templates read.
  fileprivate var asChatMessage: JSON {
    guard case .object(let given) = self else { return self }
    var members = given.filter { $0.value != .null }
    let names = ["reasoning_content", "thinking", "reasoning"]
    let found = names.lazy.compactMap { name in
      members.first { $0.key.hasSameBytes(as: name) }?.value
    }.first
    guard let found else { return .object(members) }
    if !members.contains(where: { $0.key.hasSameBytes(as: "thinking") }) {
      members.insert(JSON.Member("thinking", found), at: 0)
    }
    if let place = members.firstIndex(where: { $0.key.hasSameBytes(as: "reasoning_content") }) {
      members[place] = JSON.Member("reasoning_content", found)
    } else {
      members.append(JSON.Member("reasoning_content", found))
    }
    return .object(members)
  }
}
