// `apo.optimal_value`, and `apo.loss`: the formulas of A*-PO.

import Lua
import Tensors
import Training

private let rewardsType = ValueType.oneOf([.object(Tensor.self), .list(of: .number())])

/// `apo.optimal_value`.
let optimalValueFunction = Function(
  "optimal_value", "Computes beta ln mean exp(r / beta), the optimal value of a prompt.",
  [
    Parameter("rewards", rewardsType, "rewards of samples of the reference policy"),
    Parameter("beta", .number(minimum: 0), "0 gives the maximum, math.huge the mean"),
    Parameter(
      "mode", .choice(AStarPO.ValueMode.allCases.map(\.rawValue)),
      "another estimate: of the last three, beta does not matter", default: "optimal"),
  ],
  returns: [Returned(.number(), "the value")],
  details: "Equation 3 of A*-PO (arXiv 2505.20686), computed without overflow for any beta.",
  example: "apo.optimal_value({1, 0, 0, 0}, 0.5)   --> 0.47…"
) { call in
  let mode = AStarPO.ValueMode(rawValue: try call[3].string()) ?? .optimal
  return call.result(
    try AStarPO.value(call[1].rewards(), mode: mode, beta: call[2].number()))
}

extension Argument {
  fileprivate func rewards() throws -> [Double] {
    if let tensor = ifObject(Tensor.self) { return tensor.values.map { Double($0) } }
    return try numbers()
  }
}

private let regressionOptions = [
  Parameter("logp", .object(Tensor.self), "ln π(y|x) of each completion [B]"),
  Parameter("ref_logp", .object(Tensor.self), "ln π_ref(y|x) [B]"),
  Parameter("reward", .object(Tensor.self), "r(x, y) [B]"),
  Parameter("value", .object(Tensor.self), "V*(x) [B]"),
  Parameter("beta", .number(), "the factor of the log-ratio"),
]

/// `apo.loss`.
let lossModule = Module(
  "apo.loss", "Losses in compiled form.",
  functions: [
    Function(
      "apo", "Computes the mean of (beta (logp - ref_logp) - (reward - value))².",
      [Parameter("options", .options(regressionOptions), "all [B], beta a number")],
      returns: [Returned(.object(Tensor.self), "the loss, a scalar with gradients")],
      details: """
        The loss of A*-PO (arXiv 2505.20686). Residuals are computed in double precision; in Lua it \
        is `((beta * (logp - ref_logp) - (reward - value)) ^ 2):mean()`.
        """
    ) { call in
      let fit = try RegressionArguments(call[1].options())
      return try call.result(
        AStarPO.loss(
          logp: fit.logp, reference: fit.reference, rewards: fit.rewards, values: fit.values,
          beta2: fit.beta))
    },
    Function(
      "fit", "Tells how well a policy fits the optimal advantages.",
      [Parameter("options", .options(regressionOptions), "all [B], beta a number")],
      returns: [
        Returned(
          .table,
          "`implicit_reward` and `advantage` (means), `residual_mean`, `residual_rms`, "
            + "`explained_variance` (nil where all advantages agree)")
      ]
    ) { call in
      let arguments = try RegressionArguments(call[1].options())
      let fit = try Regression(
        logp: arguments.logp, reference: arguments.reference, rewards: arguments.rewards,
        values: arguments.values, beta2: arguments.beta)
      return try call.result(
        [
          "implicit_reward": .number(mean(fit.implicitRewards)),
          "advantage": .number(mean(fit.advantages)),
          "residual_mean": .number(fit.meanResidual), "residual_rms": .number(fit.rmsResidual),
          "explained_variance": fit.explainedVariance.map { .number($0) } ?? .nil,
        ] as LuaValue)
    },
  ])

private struct RegressionArguments {
  let logp: Tensor
  let reference: Tensor
  let rewards: Tensor
  let values: Tensor
  let beta: Double

  init(_ options: Options) throws {
    logp = try options["logp"].object(Tensor.self)
    reference = try options["ref_logp"].object(Tensor.self)
    rewards = try options["reward"].object(Tensor.self)
    values = try options["value"].object(Tensor.self)
    beta = try options["beta"].number()
    guard beta.isFinite else {
      throw LuaError("apo.loss: option 'beta' must be a finite number, got \(beta)")
    }
  }
}

private func mean(_ values: [Double]) -> Double {
  values.reduce(0, +) / Double(max(1, values.count))
}
