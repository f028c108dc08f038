// `help`: shows the documentation of declarations in the terminal.

import Lua

/// `apo.help`, and the global `help` of the REPL.
let helpFunction = Function(
  "help", "Shows the documentation of a function, an object, a class or a module.",
  [
    Parameter(
      "value", .any,
      "a function, an object, a module, a full name as a string, or \"/word\" for all names and "
        + "texts with that word",
      optional: true)
  ],
  example: #"""
    help(apo.help)
    help "apo.help"
    help "/entropy"
    """#
) { call in
  if call.count == 0 || call[1].isAbsent {
    print(helpOverview)
  } else {
    print(visible(try helpText(of: call[1], in: call.state)))
  }
  return call.nothing
}

private let helpOverview = """
  An expression shows its value, unless `;` follows; `_` is the last one.
  Tab completes names, fields, methods and, in strings, files.
  Ctrl-C drops the line or stops what runs; Ctrl-D ends.

    help(apo)            what there is
    help(apo.help)       one function; `? apo.help` for short
    help "apo.help"      the same by name; also classes
    help "/entropy"      all names and texts with that word
  """

private func helpText(of argument: Argument, in state: LuaState) throws -> String {
  // Names and member lists need library modules that are not loaded yet.
  if argument.kind == .string || argument.kind == .table { try readWholeLibrary(in: state) }
  let help = HelpText(all: state.documented, width: REPLTerminal.width)
  if argument.kind == .string {
    let name = try argument.string()
    if name.hasPrefix("/") { return help.search(for: String(name.dropFirst()).trimmed) }
    if let found = help.all.first(where: { $0.name.hasSameBytes(as: name) }) {
      return help.text(of: found)
    }
    let hint = nearestName(to: name, in: help.all.map(\.name))
    return "Nothing is called \(name)." + (hint.map { " Did you mean \($0)?" } ?? "")
  }
  let value = try argument.reference()
  guard let found = try state.documentation(of: value) else {
    return "\(value): no documentation"
  }
  return help.text(of: found)
}
