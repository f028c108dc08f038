// The module `apo`: its function tables and classes.

import Core
import Lua
import Tensors

/// The version of the program and of the module.
public let apoVersion = "0.1.0"

/// Makes the table that `require "apo"` returns, before the script library completes it.
func openApo(_ state: LuaState) throws -> LuaReference {
  connectEngine(to: state)
  try openCompletions(state)
  let run = RunState()
  state.seedRandom(run.seed)
  let rows = try RowNumbers(state)
  try state.preload("apo.rows") { try $0.makeTable(of: rowsModule(rows)) }
  try state.preload("apo.sockets") { try $0.makeTable(of: socketsModule(run, [readLineFunction])) }
  try state.preload("apo.declared") { try $0.reference(to: sharedDeclarations) }
  try state.preload("apo.declarations") { try $0.makeTable(of: declarationsModule) }
  state.explainOption = OtherName.explanation(of:known:)
  try state.preload("apo.prompts") { try $0.makeTable(of: promptsModule(rows)) }
  return try state.makeTable(
    of: Module(
      "apo", "Reinforcement learning of small language models.",
      functions: [helpFunction, seedFunction(run), seedStepFunction(run), noGradFunction]
        + tensorFunctions
        + randomFunctions(run) + tokenizerFunctions
        + [
          loadFunction, loadValueModelFunction, newModelFunction(run), memoryEstimateFunction,
          rolloutFunction,
          optimalValueFunction,
        ],
      classes: [
        tensorClass, tokenizerClass, modelClass(run, rows), valueModelClass, rolloutClass,
        optimizerClass,
        scheduleClass,
      ],
      constants: [("_VERSION", .string(apoVersion))],
      modules: [jsonModule, systemModule, optimModule, scheduleModule, lossModule]))
}

/// `require "apo.declared"`: declarations that compiled functions and functions of the library have
/// in common, each said here once.
private var sharedDeclarations: LuaValue {
  [
    "sampling": .list(
      distributionOptions.map { $0.declaration(notes: [("is_distribution", true)]) }
        + completionOptions.map { $0.declaration() }),
    "adamw": .list(adamWOptions.map { $0.declaration() }),
    "value": .list(valueParameters.map { $0.declaration() }),
  ]
}

/// Reports tensor memory to the collector, and Ctrl-C to the engine.
private func connectEngine(to state: LuaState) {
  Memory.returnFreedMemory()
  Interrupt.isRequested = { LuaState.isInterrupted }
  state.setMemoryUsage {
    MemoryUsage(live: Int64(Storage.liveBytes), allocated: Int64(Storage.allocatedBytes))
  }
}
