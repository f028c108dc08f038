// `apo.schedule`: learning rates as functions of the step.

import Lua
import Training

/// A learning rate over the steps of a run.
final class ScheduleObject: LuaObject {
  static let luaName = "apo.Schedule"
  let schedule: Schedule
  let rate: Double

  init(_ schedule: Schedule, rate: Double) {
    self.schedule = schedule
    self.rate = rate
  }
}

/// `apo.schedule`.
let scheduleModule = Module(
  "apo.schedule", "Learning-rate schedules.",
  details: """
    Call a schedule with the step number to get the rate: `optimizer.lr = rate(step)`. The
    formulas are those of transformers. `lr = 1` gives factors.
    """,
  functions: [
    schedule(.constant, "Makes a rate that warms up to `lr` and stays there."),
    schedule(.linear, "Makes a rate that warms up to `lr` and decays linearly."),
    schedule(.cosine, "Makes a rate that warms up to `lr` and decays along half a cosine."),
  ])

private func schedule(_ shape: Schedule.Shape, _ summary: String) -> Function {
  var options = [
    Parameter("lr", .number(minimum: 0), "the highest rate", default: 1),
    Parameter(
      "warmup_steps", .integer(minimum: 0), "warm-up steps from 0", default: 0),
  ]
  if shape != .constant {
    options.append(
      Parameter("total_steps", .integer(minimum: 1), "steps until the end of the decay"))
    options.append(
      Parameter(
        "min_ratio", .number(minimum: 0, maximum: 1), "the final rate as a fraction of `lr`",
        default: 0))
  }
  return Function(
    shape.rawValue, summary,
    [Parameter("options", .options(options), "see below", optional: shape == .constant)],
    returns: [Returned(.object(ScheduleObject.self), "the schedule, called with a step")],
    example: "local rate = apo.schedule.\(shape.rawValue){lr = 3e-4, warmup_steps = 10"
      + (shape == .constant ? "}" : ", total_steps = 200}")
  ) { call in
    let options = try call[1].options()
    let rate = try options["lr"].number()
    guard rate.isFinite else {
      throw LuaError("\(shape.rawValue): option 'lr' must be a finite number, got \(rate)")
    }
    let isConstant = shape == .constant
    let schedule = try Schedule(
      shape, warmupSteps: options["warmup_steps"].integer(),
      totalSteps: isConstant ? 0 : options["total_steps"].integer(),
      minimumRatio: isConstant ? 0 : options["min_ratio"].number())
    return try call.result(ScheduleObject(schedule, rate: rate))
  }
}

let scheduleClass = Class(
  ScheduleObject.self, "A learning rate as a function of the step.",
  methods: [
    Function(
      "__call", "The rate at a step.",
      [Parameter("step", .integer(), "updates before this one; 0 and less count as 0")],
      returns: [Returned(.number(), "the rate")]
    ) { call in
      let object = try call.this(ScheduleObject.self)
      return call.result(object.rate * object.schedule.factor(step: try call[1].integer()))
    },
    Function("__tostring", "What it is.", returns: [Returned(.string, "one line")]) { call in
      let object = try call.this(ScheduleObject.self)
      return call.result("apo.Schedule \(object.schedule.shape.rawValue), lr \(object.rate)")
    },
  ])
