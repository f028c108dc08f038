// A Lua state as `apo-lua` sets it up: standard libraries, `require "apo"`, the script library.

import Lua
import Scripts

/// Opens the state in which scripts run.
///
/// Nothing of `apo` is made until a script requires it.
public func makeInterpreter(ignoringEnvironment: Bool = false) throws -> LuaState {
  var configuration = LuaState.Configuration()
  configuration.ignoresEnvironment = ignoringEnvironment
  let state = try LuaState(configuration)
  try state.addLibrary(embeddedScript)
  try state.preload("apo", openApo) { state, table in
    guard let script = embeddedScript(named: "apo") else { return }
    try state.run(script, [.reference(table)])
  }
  return state
}

/// The script of the library with that name for `require`; the target Scripts drops the prefix.
func embeddedScript(named name: String) -> Script? {
  let file = name.hasPrefix("apo.") ? String(name.dropFirst(4)) : name
  guard name == "apo" || name.hasPrefix("apo."), var entry = apo_scripts() else { return nil }
  while let start = entry.pointee.name {
    if String(cString: start) == file {
      let text = UnsafeBufferPointer(start: entry.pointee.text, count: entry.pointee.length)
      return Script(name: name, text: Array(text))
    }
    entry += 1
  }
  return nil
}
