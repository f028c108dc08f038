// Declarations as text, for the terminal.

import Lua

/// Lays out the declaration of a function, a class or a module.
struct HelpText {
  /// Every declaration of the state, from which members are found by name.
  let all: [Documentation]
  /// The number of columns to keep to.
  var width = 80

  func text(of documentation: Documentation) -> String {
    switch documentation {
    case .function(let function): text(of: function)
    case .class(let declaration): text(of: declaration)
    case .module(let module): text(of: module)
    }
  }

  /// Prose wrapped to the width; lines that start with a blank are unchanged.
  private func fill(_ text: String, indent: Int = 0) -> String {
    var lines: [String] = []
    var isOpen = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let isFixed = line.isEmpty || line.first?.isWhitespace == true
      if isFixed {
        lines.append(String(line))
        isOpen = false
        continue
      }
      for word in line.split(separator: " ") {
        if isOpen, let last = lines.last, indent + last.count + 1 + word.count <= width {
          lines[lines.count - 1] += " " + word
        } else {
          lines.append(String(word))
          isOpen = true
        }
      }
    }
    return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
  }

  // MARK: Functions

  private func text(of documented: FunctionDocumentation) -> String {
    let function = documented.function
    var parts = [documented.signature, fill(function.summary)]
    if !function.details.isEmpty { parts.append(fill(function.details)) }
    let plain = function.parameters.filter { $0.type.fields == nil }
    if !plain.isEmpty { parts.append(table(plain)) }
    for parameter in function.parameters {
      guard let fields = parameter.type.fields else { continue }
      parts.append("Fields of \(parameter.name):\n" + table(fields))
    }
    if let returns = function.returnsText { parts.append(fill("Returns \(returns)")) }
    if !function.example.isEmpty { parts.append(function.example) }
    return parts.joined(separator: "\n\n")
  }

  /// Name, type and default in columns, followed by the prose.
  private func table(_ parameters: [Parameter], indent: Int = 2) -> String {
    let names = (parameters.map(\.name.count).max() ?? 0) + 2
    let types = min((parameters.map(\.typeText.count).max() ?? 0) + 2, 36)
    let margin = String(repeating: " ", count: indent)
    return parameters.map { parameter in
      let head =
        margin + parameter.name.padded(to: names) + parameter.typeText.padded(to: types)
      let line = entry(head, parameter.text, column: indent + names + types)
      guard let fields = parameter.type.fields else { return line }
      return line + "\n" + table(fields, indent: indent + 4)
    }.joined(separator: "\n")
  }

  // MARK: Classes and modules

  private func text(of declaration: Class) -> String {
    var parts = [declaration.name, fill(declaration.summary)]
    if !declaration.details.isEmpty { parts.append(fill(declaration.details)) }
    let properties = declaration.properties.map { ($0.name, "\($0.type.name), \($0.summary)") }
    if !properties.isEmpty { parts.append("Fields:\n" + list(properties)) }
    let methods = members(of: declaration.name + ":").filter { !$0.function.name.hasPrefix("__") }
    if !methods.isEmpty { parts.append("Methods:\n" + list(methods.map(\.entry))) }
    return parts.joined(separator: "\n\n")
  }

  private func text(of module: Module) -> String {
    var parts = [module.name, fill(module.summary)]
    if !module.details.isEmpty { parts.append(fill(module.details)) }
    let functions = members(of: module.name + ".")
    if !functions.isEmpty { parts.append("Functions:\n" + list(functions.map(\.entry))) }
    let modules = all.compactMap { documentation -> (String, String)? in
      guard case .module(let inner) = documentation else { return nil }
      return inner.name.hasPrefix(module.name + ".") ? (inner.name, inner.summary) : nil
    }
    if !modules.isEmpty { parts.append("Modules:\n" + list(modules)) }
    let classes = all.compactMap { documentation -> (String, String)? in
      guard case .class(let declaration) = documentation else { return nil }
      return declaration.name.hasPrefix(module.name + ".")
        ? (declaration.name, declaration.summary) : nil
    }
    if !classes.isEmpty {
      parts.append("Classes (help \"\(classes[0].0)\" or help(object)):\n" + list(classes))
    }
    return parts.joined(separator: "\n\n")
  }

  /// The functions whose name is the prefix plus one part.
  func members(of prefix: String) -> [FunctionDocumentation] {
    all.compactMap {
      guard case .function(let function) = $0, function.name.hasPrefix(prefix) else { return nil }
      let rest = function.name.dropFirst(prefix.count)
      return rest.contains(".") || rest.contains(":") ? nil : function
    }
  }

  func list(_ entries: [(String, String)]) -> String {
    let column = min((entries.map(\.0.count).max() ?? 0) + 2, 30)
    return entries.map { entry("  " + $0.0.padded(to: column), $0.1, column: column + 2) }
      .joined(separator: "\n")
  }

  /// A head followed by prose, or with prose below it if the line would be too narrow.
  private func entry(_ head: String, _ text: String, column: Int) -> String {
    let text = text.replacing("\n", with: " ")
    if head.count > column || column + 24 > width {
      let end = head.lastIndex { $0 != " " } ?? head.startIndex
      return head[...end] + "\n        " + fill(text, indent: 8)
    }
    return head + fill(text, indent: column)
  }
}

extension FunctionDocumentation {
  /// The name in a list, and the summary.
  var entry: (String, String) { (function.name, function.summary) }

  /// How the function is called: `apo.zeros(shape, …)`, `tensor:dot(other)`.
  var signature: String {
    let names = function.parameters.map { parameter in
      let name = parameter.isVariadic ? "\(parameter.name), …" : parameter.name
      return parameter.isOptional && !parameter.isVariadic ? "[\(name)]" : name
    }
    if function.parameters.count == 1, function.parameters[0].type.fields != nil {
      return name + "{\(function.parameters[0].name)}"
    }
    return "\(name)(\(names.joined(separator: ", ")))"
  }
}

extension Function {
  /// Types and meaning of the results, nil when there are none.
  var returnsText: String? {
    guard !returns.isEmpty else { return nil }
    return returns.map { result in
      result.text.isEmpty ? result.type.name : "\(result.type.name): \(result.text)"
    }.joined(separator: "; ")
  }
}

extension Parameter {
  /// The type, with the default.
  var typeText: String {
    if !defaultValue.isNil, defaultValue.description != "{}" {
      return "\(type.name) = \(defaultValue)"
    }
    return isOptional && !isVariadic ? "\(type.name), optional" : type.name
  }
}

extension ValueType {
  /// The fields of an options table.
  var fields: [Parameter]? {
    if case .options(let fields) = self { return fields }
    guard case .oneOf(let types) = self else { return nil }
    return types.lazy.compactMap(\.fields).first
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    count < width ? self + String(repeating: " ", count: width - count) : self + "  "
  }
}
