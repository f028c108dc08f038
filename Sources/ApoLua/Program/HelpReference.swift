// The Lua reference as Markdown: `apo-lua --reference`, kept as docs/reference.md.

import Lua

/// The reference of everything that is declared in a state, modules and classes sorted by name.
struct HelpReference {
  private let help: HelpText

  init(of state: LuaState) {
    help = HelpText(all: state.documented)
  }

  var markdown: String {
    var parts = [introduction, contents]
    for case .module(let module) in help.all { parts.append(section(of: module)) }
    for case .class(let declaration) in help.all { parts.append(section(of: declaration)) }
    return parts.joined(separator: "\n\n") + "\n"
  }

  private let introduction = """
    # Lua reference

    Made by `scripts/reference` from the declarations in the program; do not edit. In a session
    `help(apo.train)` shows the same.

    Brackets in a heading mark arguments that may be left out, braces a function that takes one \
    table of options. Positions and dimensions count from 1, or from -1 at the end; token ids are \
    the tokenizer's own and count from 0. Shapes are written with B for completions, T for tokens \
    of a sequence, V for the vocabulary; `[tokens]` is a value for each token of all completions, \
    end to end.
    """

  // MARK: Contents

  private var contents: String {
    var anchors: [String: Int] = [:]
    var lines = ["| | |", "|---|---|"]
    func add(_ name: String, _ summary: String, _ members: [FunctionDocumentation]) {
      let plain = name.lowercased().filter { $0.isLetter || $0.isNumber }
      let earlier = anchors[plain, default: 0]
      anchors[plain] = earlier + 1
      let anchor = earlier == 0 ? plain : "\(plain)-\(earlier)"  // as GitHub numbers equal ones
      let names = members.map { " `\($0.function.name)`" }.joined()
      lines.append("| [\(name)](#\(anchor)) | \(summary)\(names) |")
    }
    for case .module(let module) in help.all {
      add(module.name, module.summary, help.members(of: module.name + "."))
    }
    for case .class(let declaration) in help.all {
      let members = help.members(of: declaration.name + ":")
      add(declaration.name, declaration.summary, members.filter { !$0.isOperator })
    }
    return lines.joined(separator: "\n")
  }

  // MARK: Sections

  private func section(of module: Module) -> String {
    var parts = ["## \(module.name)", module.summary]
    if !module.details.isEmpty { parts.append(module.details) }
    parts += help.members(of: module.name + ".").map(entry)
    return parts.joined(separator: "\n\n")
  }

  private func section(of declaration: Class) -> String {
    var parts = ["## \(declaration.name)", declaration.summary]
    if !declaration.details.isEmpty { parts.append(declaration.details) }
    let fields = declaration.properties.map { "- `\($0.name)` (\($0.type.name)): \($0.summary)" }
    if !fields.isEmpty { parts.append("Fields:\n\n" + fields.joined(separator: "\n")) }
    let members = help.members(of: declaration.name + ":")
    let operators = members.filter(\.isOperator)
    if !operators.isEmpty {
      let lines = operators.map { "- `\($0.expression)`: \($0.function.summary)" }
      parts.append("Operators:\n\n" + lines.joined(separator: "\n"))
    }
    parts += members.filter { !$0.isOperator }.map(entry)
    return parts.joined(separator: "\n\n")
  }

  private func entry(_ documented: FunctionDocumentation) -> String {
    let function = documented.function
    var parts = ["### `\(documented.signature)`", function.summary]
    if !function.details.isEmpty { parts.append(function.details) }
    let lines = function.parameters.flatMap(items)
    if !lines.isEmpty { parts.append(lines.joined(separator: "\n")) }
    if !function.returns.isEmpty { parts.append("Returns " + results(function.returns) + ".") }
    if !function.example.isEmpty { parts.append("```lua\n\(function.example)\n```") }
    if function.since != "0.1" { parts.append("Since \(function.since).") }
    return parts.joined(separator: "\n\n")
  }

  private func results(_ list: [Returned]) -> String {
    list.map { $0.text.isEmpty ? $0.type.name : "\($0.text) (\($0.type.name))" }
      .joined(separator: "; ")
  }

  /// A line for the parameter, and one for each field of its options.
  private func items(_ parameter: Parameter) -> [String] {
    guard case .options(let fields) = parameter.type else { return item(parameter, indent: "") }
    let type = parameter.isOptional ? "table, optional" : "table"
    return ["- `\(parameter.name)` (\(type)):"] + fields.flatMap { item($0, indent: "  ") }
  }

  private func item(_ parameter: Parameter, indent: String) -> [String] {
    let line = "\(indent)- `\(parameter.name)` (\(type(parameter))): \(parameter.text)"
    return [line] + (parameter.type.fields ?? []).flatMap { item($0, indent: indent + "  ") }
  }

  private func type(_ parameter: Parameter) -> String {
    let value = parameter.defaultValue
    guard !value.isNil, value.description != "{}" else { return parameter.typeText }
    return "\(parameter.type.name), default `\(value)`"
  }
}

extension FunctionDocumentation {
  /// Whether scripts reach it by an operator and not by its name.
  fileprivate var isOperator: Bool { function.name.hasPrefix("__") }

  /// The operator as scripts write it.
  fileprivate var expression: String {
    let forms = [
      "__add": "a + b", "__sub": "a - b", "__mul": "a * b", "__div": "a / b", "__pow": "a ^ b",
      "__unm": "-a", "__len": "#a", "__eq": "a == b", "__index": "a[i]",
      "__tostring": "tostring(a)",
    ]
    let arguments = function.parameters.map(\.name).joined(separator: ", ")
    return forms[function.name] ?? "a(\(arguments))"
  }
}

/// The Markdown reference of the module `apo` and of the whole script library.
public func referenceText() throws -> String {
  HelpReference(of: try documentedState()).markdown
}

/// A state in which every file of the script library has been read.
func documentedState() throws -> LuaState {
  let state = try makeInterpreter(ignoringEnvironment: true)
  try readWholeLibrary(in: state)
  return state
}
