// The Lua reference as Markdown: `apo-lua --reference`, kept as docs/reference.md.

import Lua

/// The reference of everything that is declared in a state, modules and classes sorted by name.
struct HelpReference {
  private let help: HelpText

  init(of state: LuaState) {
    help = HelpText(all: state.documented)
  }

  var markdown: String {
    var parts = [
      "# Lua reference",
      "Made by `apo-lua --reference` from the declarations in the program; do not edit.",
    ]
    for case .module(let module) in help.all { parts.append(section(of: module)) }
    for case .class(let declaration) in help.all { parts.append(section(of: declaration)) }
    return parts.joined(separator: "\n\n") + "\n"
  }

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
    let operators = members.filter { $0.function.name.hasPrefix("__") }
    parts += members.filter { !$0.function.name.hasPrefix("__") }.map(entry)
    if !operators.isEmpty {
      let lines = operators.map { "- `\($0.function.name)`: \($0.function.summary)" }
      parts.append("Operators:\n\n" + lines.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  private func entry(_ documented: FunctionDocumentation) -> String {
    let function = documented.function
    var parts = ["### `\(documented.signature)`", function.summary]
    if !function.details.isEmpty { parts.append(function.details) }
    let lines = function.parameters.flatMap { item($0, indent: "") }
    if !lines.isEmpty { parts.append(lines.joined(separator: "\n")) }
    if let returns = function.returnsText { parts.append("Returns \(returns).") }
    if !function.example.isEmpty { parts.append("```lua\n\(function.example)\n```") }
    parts.append("Since \(function.since).")
    return parts.joined(separator: "\n\n")
  }

  private func item(_ parameter: Parameter, indent: String) -> [String] {
    let line = "\(indent)- `\(parameter.name)` (\(parameter.typeText)): \(parameter.text)"
    return [line] + (parameter.type.fields ?? []).flatMap { item($0, indent: indent + "  ") }
  }
}

/// The Markdown reference of the module `apo` and of the whole script library.
public func referenceText() throws -> String {
  let state = try makeInterpreter(ignoringEnvironment: true)
  guard let require = try state.globalReference("require") else {
    throw LuaError("'require' is missing")
  }
  for name in ["apo"] + embeddedScriptNames() {
    _ = try state.callKeepingResults(require, [.string(name)])
  }
  return HelpReference(of: state).markdown
}
