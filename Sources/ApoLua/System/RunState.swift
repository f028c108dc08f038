// Implicit state of scripts: the seed of the run, and the positions of its random streams.

import Lua
import Tensors

/// Random numbers of one Lua state.
final class RunState {
  /// The seed that `apo.seed` set, or one drawn at the start.
  private(set) var seed: Int
  /// Where `apo.rand` and `apo.randn` draw from.
  var stream: RandomStream
  /// Calls of `generate` without a `step`.
  private var generations = 0
  /// Models made with random weights.
  private var models = 0

  init() {
    seed = Int.random(in: 1..<1 << 31)
    stream = RandomStream(seed: UInt64(seed))
  }

  /// Restarts all streams.
  func restart(seed: Int) {
    self.seed = seed
    stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)))
    generations = 0
    models = 0
  }

  /// Reseeds `generate` and the stream for a training step, so that a resumed run draws the same as
  /// an uninterrupted one.
  func begin(step: Int, seed: Int) -> Int {
    let mixed = mix(UInt64(bitPattern: Int64(seed)), UInt64(bitPattern: Int64(step)))
    stream = RandomStream(seed: mixed)
    generations = Int(truncatingIfNeeded: mixed >> 2)
    return Int(bitPattern: UInt(mixed))
  }

  /// A copy, to return to.
  var copy: RunState {
    let copy = RunState()
    copy.restore(self)
    return copy
  }

  /// Goes on as another one would.
  func restore(_ other: RunState) {
    (seed, stream) = (other.seed, other.stream)
    (generations, models) = (other.generations, other.models)
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
    "Sets or returns the seed of everything random: samples, tensors, weights, `math.random`.",
    [
      Parameter(
        "seed", .integer(), "the new seed; without it the current seed is returned", optional: true)
    ],
    returns: [Returned(.integer(), "the seed in use")],
    details: """
      A script that calls it first gives the same bytes in every run on the same machine.
      Otherwise the run uses a random seed drawn when `apo` was loaded: print `apo.seed()` to be
      able to repeat it.
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
    "Reseeds everything random for a step: `apo.rand`, `apo.randn`, samples without a seed, "
      + "`math.random`.",
    [
      Parameter("seed", .integer(), "the seed of a run"),
      Parameter("step", .integer(), "a step of the run"),
    ],
    details: """
      What a step draws then depends only on these two numbers, not on earlier steps, so a resumed
      run draws the same. `apo.train` calls it before each step and evaluation. `apo.seed()` does
      not change.
      """,
    example: "for step = 1, 3 do apo.seed_step(7, step) end"
  ) { call in
    try call.state.seedRandom(run.begin(step: call[2].integer(), seed: call[1].integer()))
    return call.nothing
  }
}
