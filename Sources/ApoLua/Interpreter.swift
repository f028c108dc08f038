// A Lua state as `apo-lua` sets it up: standard libraries, `require "apo"`, the script library.

import Core
import Lua
import Scripts
import Tensors

/// Opens the state in which scripts run.
///
/// `apo` is not created until a script requires it.
public func makeInterpreter(ignoringEnvironment: Bool = false) throws -> LuaState {
  var configuration = LuaState.Configuration()
  configuration.ignoresEnvironment = ignoringEnvironment
  let state = try LuaState(configuration)
  state.setMemoryRoom { Memory.hasRoom($0) }  // tables of Lua can exhaust a container without `apo`
  try state.addLibrary(embeddedScript)
  try state.preload("apo", openApo) { state, table in
    guard let script = embeddedScript(named: "apo") else { return }
    try state.run(script, [.reference(table)])
  }
  return state
}

/// The script of the library with that name for `require`; the target Scripts drops the prefix.
func embeddedScript(named name: String) -> Script? {
  var found: Script?
  forEachScript { script, entry in
    guard script == name else { return true }
    found = Script(name: name, text: Array(String(cString: entry.text).utf8))
    return false
  }
  return found
}

/// The names of all scripts, as `require` takes them.
func embeddedScriptNames() -> [String] {
  var names: [String] = []
  forEachScript { name, _ in
    names.append(name)
    return true
  }
  return names
}

/// Reads every script of the library, so that all declarations are known.
func readWholeLibrary(in state: LuaState) throws {
  guard let require = try state.globalReference("require") else {
    throw LuaError("'require' is missing")
  }
  for name in ["apo"] + embeddedScriptNames() {
    _ = try state.callKeepingResults(require, [.string(name)])
  }
}

/// Visits the scripts until the body returns false.
private func forEachScript(_ body: (String, apo_script) -> Bool) {
  guard var entry = apo_scripts() else { return }
  while let start = entry.pointee.name {
    let file = String(cString: start)
    guard body(file == "apo" ? file : "apo.\(file)", entry.pointee) else { return }
    entry += 1
  }
}
