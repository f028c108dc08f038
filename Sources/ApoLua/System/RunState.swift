// What scripts share without naming it: the seed of the run, and how far its streams have come.

import Lua
import Tensors

/// Random numbers of one Lua state.
final class RunState {
  /// The seed that `apo.seed` set, or one drawn at the start.
  private(set) var seed: Int
  /// Where `apo.rand` and `apo.randn` draw from.
  var stream: RandomStream
  /// Calls of `generate` that did not say which step they are.
  private var generations = 0
  /// Models made with random weights.
  private var models = 0

  init() {
    seed = Int.random(in: 1..<1 << 31)
    stream = RandomStream(seed: UInt64(seed))
  }

  /// Starts all streams anew.
  func restart(seed: Int) {
    self.seed = seed
    stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)))
    generations = 0
    models = 0
  }

  /// Starts what `generate` and the stream give on their own anew for a step of a training, so that
  /// a training that goes on from a checkpoint draws what one draws that was not stopped.
  func begin(step: Int, seed: Int) -> Int {
    let mixed = mix(UInt64(bitPattern: Int64(seed)), UInt64(bitPattern: Int64(step)))
    stream = RandomStream(seed: mixed)
    generations = Int(truncatingIfNeeded: mixed >> 2)
    return Int(bitPattern: UInt(mixed))
  }

  /// The seed as the engine takes it.
  var engineSeed: UInt64 { UInt64(bitPattern: Int64(seed)) }

  /// The number of this call of `generate`, from 0.
  func nextStep() -> Int {
    defer { generations += 1 }
    return generations
  }

  /// A seed for the weights of a new model.
  func nextModelSeed() -> UInt64 {
    defer { models += 1 }
    return mix(engineSeed, UInt64(models))
  }
}

/// `apo.seed`.
func seedFunction(_ run: RunState) -> Function {
  Function(
    "seed",
    "Sets or tells the seed of everything random: samples, tensors, weights, `math.random`.",
    [
      Parameter(
        "seed", .integer(), "the new seed; without it the one in use is told", optional: true)
    ],
    returns: [Returned(.integer(), "the seed in use")],
    details: """
      A script that calls it first gives the same bytes at every run on the same machine. Without
      it the run has a seed of its own, drawn when `apo` was loaded: print `apo.seed()` to be able
      to repeat it.
      """,
    example: "apo.seed(7)"
  ) { call in
    if let argument = call[1].ifPresent {
      let seed = try argument.integer()
      run.restart(seed: seed)
      call.state.seedRandom(seed)
    }
    return call.result(run.seed)
  }
}

/// `apo.seed_step`.
func seedStepFunction(_ run: RunState) -> Function {
  Function(
    "seed_step",
    "Starts everything random anew for a step: `apo.rand`, `apo.randn`, samples without a seed, "
      + "`math.random`.",
    [
      Parameter("seed", .integer(), "the seed of a training"),
      Parameter("step", .integer(), "one of its steps"),
    ],
    details: """
      What a step draws then depends on these two numbers and not on the steps before it, so a
      training that goes on from a checkpoint draws the same. `apo.train` calls it before each step
      and each evaluation. `apo.seed()` stays what it is.
      """,
    example: "for step = 1, 3 do apo.seed_step(7, step) end"
  ) { call in
    try call.state.seedRandom(run.begin(step: call[2].integer(), seed: call[1].integer()))
    return call.nothing
  }
}
