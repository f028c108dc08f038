// The declarations as a file for language servers: `apo-lua types`, kept as docs/types/apo.lua.

import Lua

/// Writes what LuaLS and EmmyLua know of the module: classes, functions, options as typed tables.
struct EditorTypes {
  private let help: HelpText
  /// The aliases for options with some values, by their text.
  private var aliases: [String: String] = [:]
  private var aliasLines: [String] = []
  /// The classes of options, as they are met.
  private var optionClasses: [String] = []

  /// Leaves out modules that only `require` gives, which are for the library.
  init(of state: LuaState) throws {
    let hidden = try state.documented.filter { documentation in
      guard case .module(let module) = documentation, module.name.hasPrefix("apo.") else {
        return false
      }
      let path = "require 'apo'." + module.name.dropFirst(4)
      return try state.run("return \(path) == nil").first?.asBoolean == true
    }.map(\.name)
    help = HelpText(all: state.documented.filter { !hidden.contains($0.name) })
  }

  /// The text of the file.
  mutating func text() -> String {
    var bodies: [String] = []
    for case .class(let declaration) in help.all { bodies.append(body(of: declaration)) }
    for case .module(let module) in help.all { bodies.append(body(of: module)) }
    let head = """
      ---@meta apo
      ---@diagnostic disable
      -- The module apo for language servers. Written by `apo-lua types`; do not edit.
      """
    return ([head] + aliasLines + optionClasses + bodies + ["return apo"])
      .joined(separator: "\n\n") + "\n"
  }

  // MARK: Classes and modules

  private mutating func body(of module: Module) -> String {
    var lines = comment(module.summary, module.details) + ["---@class \(module.name)"]
    for constant in module.constants {
      lines.append("---@field \(constant.name) \(literalType(constant.value))")
    }
    let isOuter = !module.name.contains(".")
    lines.append("\(isOuter ? "local " : "")\(module.name) = {}")
    var parts = [lines.joined(separator: "\n")]
    for function in help.members(of: module.name + ".") {
      parts.append(body(of: function, called: function.name))
    }
    return parts.joined(separator: "\n\n")
  }

  private func literalType(_ value: LuaValue) -> String {
    switch value {
    case .string, .bytes: "string"
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .object(let object): type(of: object).luaName
    default: "any"
    }
  }

  private mutating func body(of declaration: Class) -> String {
    let local =
      "class_"
      + declaration.name.filter { $0.isLetter || $0.isNumber || $0 == "." }
      .replacing(".", with: "_")
    let members = help.members(of: declaration.name + ":")
    var lines = comment(declaration.summary, declaration.details)
    lines.append("---@class \(declaration.name)")
    for property in declaration.properties {
      let values = property.values.map { "\"\($0)\"" }.joined(separator: "|")
      let type = values.isEmpty ? name(of: property.type, option: property.name) : values
      lines.append("---@field \(property.name) \(type) \(oneLine(property.summary))")
    }
    if let element = declaration.methods.first(where: { $0.name == "__index" })?.returns.first {
      lines.append("---@field [integer] \(name(of: element.type, option: "element"))")
    }
    lines += members.compactMap { operatorLine($0.function, of: declaration.name) }
    if let call = members.first(where: { $0.function.name == "__call" })?.function {
      let names = call.parameters.map { "\($0.name): \(name(of: $0.type, option: $0.name))" }
      let result = call.returns.first.map { name(of: $0.type, option: "result") } ?? "nil"
      lines.append("---@overload fun(\(names.joined(separator: ", "))): \(result)")
    }
    lines.append("local \(local) = {}")
    var parts = [lines.joined(separator: "\n")]
    for member in members where !member.function.name.hasPrefix("__") {
      parts.append(body(of: member, called: "\(local):\(member.function.name)"))
    }
    if declaration.isCompiled {
      parts.append("---Frees its memory at once.\nfunction \(local):free() end")
    }
    return parts.joined(separator: "\n\n")
  }

  private mutating func operatorLine(_ function: Function, of owner: String) -> String? {
    let unary = ["__unm": "unm", "__len": "len"]
    let binary = ["__add": "add", "__sub": "sub", "__mul": "mul", "__div": "div", "__pow": "pow"]
    guard let result = function.returns.first.map({ name(of: $0.type, option: "result") }) else {
      return nil
    }
    if let name = unary[function.name] { return "---@operator \(name): \(result)" }
    guard let operation = binary[function.name] else { return nil }
    let other = function.parameters.last.map { name(of: $0.type, option: "other") } ?? owner
    return "---@operator \(operation)(\(other)): \(result)"
  }

  // MARK: Functions

  private mutating func body(of documented: FunctionDocumentation, called name: String) -> String {
    let function = documented.function
    var lines = comment(function.summary, function.details)
    let owner = documented.name.replacing(":", with: ".")
    for parameter in function.parameters {
      let label = parameter.isVariadic ? "..." : identifier(parameter.name)
      let mark = parameter.isOptional && !parameter.isVariadic ? "?" : ""
      let type = typeName(of: parameter, in: owner)
      let text = parameter.text == "see below" ? "" : " " + oneLine(parameter.text)
      lines.append("---@param \(label)\(mark) \(type)\(text)")
    }
    for result in function.returns {
      let type = self.name(of: result.type, option: "result", signature: result.signature)
      lines.append("---@return \(type) # \(oneLine(result.text))")
    }
    let names = function.parameters.map { $0.isVariadic ? "..." : identifier($0.name) }
    lines.append("function \(name)(\(names.joined(separator: ", "))) end")
    return lines.joined(separator: "\n")
  }

  private func identifier(_ name: String) -> String {
    ["end", "function", "local", "repeat", "until", "in", "not"].contains(name) ? name + "_" : name
  }

  // MARK: Types

  /// The type of a parameter or option; an options table gets a class named after its place.
  private mutating func typeName(of parameter: Parameter, in owner: String) -> String {
    guard let fields = parameter.type.fields else {
      return name(
        of: parameter.type, option: parameter.name, signature: parameter.signature,
        values: parameter.values)
    }
    let place = "\(owner).\(parameter.name)"
    var lines = ["---@class \(place)"]
    for field in fields {
      let mark = field.isOptional ? "?" : ""
      lines.append(
        "---@field \(identifier(field.name))\(mark) \(typeName(of: field, in: place))"
          + " \(oneLine(field.text))\(defaultText(field))")
    }
    optionClasses.append(lines.joined(separator: "\n"))
    guard case .oneOf(let types) = parameter.type else { return place }
    let others = types.filter { $0.fields == nil }.map { name(of: $0, option: parameter.name) }
    return ([place] + others).joined(separator: "|")
  }

  private func defaultText(_ parameter: Parameter) -> String {
    let value = parameter.defaultValue
    return value.isNil || value.description == "{}" ? "" : " (default: \(value))"
  }

  private mutating func name(
    of type: ValueType, option: String, signature: String = "", values: [String] = []
  ) -> String {
    switch type {
    case .any: return "any"
    case .boolean: return "boolean"
    case .number: return "number"
    case .integer: return "integer"
    case .string: return values.isEmpty ? "string" : alias(for: values, option: option)
    case .table, .options: return "table"
    case .function: return signature.isEmpty ? "function" : "(\(signature))"
    case .choice(let names): return alias(for: names, option: option)
    case .list(let element):
      let inner = name(of: element, option: option)
      return inner.contains("|") ? "(\(inner))[]" : inner + "[]"
    case .oneOf(let types):
      return types.map { name(of: $0, option: option, signature: signature, values: values) }
        .joined(separator: "|")
    case .instance(let name, _): return name
    }
  }

  /// An alias for these strings: `apo.overlong`; one of an option of the same name with others gets
  /// a number.
  private mutating func alias(for names: [String], option: String) -> String {
    let text = names.map { "\"\($0)\"" }.joined(separator: "|")
    let key = "\(option) \(text)"
    if let known = aliases[key] { return known }
    let same = aliases.keys.filter { $0.hasPrefix(option + " ") }.count
    let name = "apo.values.\(option)" + (same == 0 ? "" : "_\(same + 1)")
    aliases[key] = name
    aliasLines.append("---@alias \(name) \(text)")
    return name
  }

  // MARK: Texts

  private func comment(_ summary: String, _ details: String) -> [String] {
    let text = details.isEmpty ? summary : summary + "\n\n" + details
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { "---\($0)" }
  }

  private func oneLine(_ text: String) -> String {
    text.split { $0 == "\n" }.joined(separator: " ")
  }
}

/// What `apo-lua types` prints.
func editorTypesText() throws -> String {
  var types = try EditorTypes(of: documentedState())
  return types.text()
}
