// "attempt to call a nil value (field 'trian')" gets "did you mean 'apo.train'?" where an error
// ends a script or is shown in a session.

import Lua

/// The error with the name that was probably meant.
func withNameHint(_ error: any Error, in state: LuaState) -> any Error {
  guard var error = error as? LuaError else { return error }
  error.message = withNameHint(error.message, in: state)
  return error
}

/// The message with the name that was probably meant, if it is about a name of `apo` or of Lua that
/// is not there.
func withNameHint(_ message: String, in state: LuaState) -> String {
  let form = /attempt to (?:call|index) a nil value \((field|method|global) '(\w+)'\)/
  let firstLine = message.prefix { $0 != "\n" }
  guard let match = firstLine.firstMatch(of: form) else { return message }
  let (kind, name) = (match.1, String(match.2))
  guard (try? readWholeLibrary(in: state)) != nil else { return message }
  let documented = state.documented.compactMap { documentation -> String? in
    guard case .function(let function) = documentation else { return nil }
    return function.name
  }
  let names =
    kind == "global"
    ? state.completions(of: String(name.prefix(1))).map { $0.filter { !"(.:".contains($0) } }
    : documented.filter { ($0.contains(":")) == (kind == "method") }
  let last = { (full: String) in String(full.split { ".:".contains($0) }.last ?? "") }
  // A name that is there was called on something else.
  guard !names.contains(where: { last($0) == name }),
    let near = nearestName(to: name, in: names.map(last)),
    let full = names.first(where: { last($0) == near })
  else { return message }
  let hint = " (did you mean '\(kind == "method" ? near : full)'?)"
  return String(firstLine) + hint + message.dropFirst(firstLine.count)
}
