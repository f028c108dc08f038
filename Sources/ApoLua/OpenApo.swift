// The module `apo`: which tables of functions and which classes it consists of.

import Lua

/// The version of the program and of the module.
public let apoVersion = "0.1.0"

/// Makes the table that `require "apo"` returns, before the script library completes it.
func openApo(_ state: LuaState) throws -> LuaReference {
  try state.makeTable(
    of: Module(
      "apo", "Reinforcement learning of small language models.",
      functions: [helpFunction],
      constants: [("_VERSION", .string(apoVersion))],
      modules: [jsonModule, systemModule]))
}
