// `apo.optimal_value`, and `apo.loss`: the formulas of A*-PO.

import Core
import Lua
import Tensors
import Training

private let rewardsType = ValueType.oneOf([.object(Tensor.self), .list(of: .number())])

/// How a value comes from rewards.
let valueParameters = [
  Parameter("beta", .number(minimum: 0), "0 gives the maximum, math.huge the mean"),
  Parameter(
    "mode", .choice(AStarPO.ValueMode.allCases.map(\.rawValue)),
    "the estimator; only `optimal` uses beta",
    default: .string(AStarPO.ValueMode.optimal.rawValue)),
]

/// `apo.optimal_value`.
let optimalValueFunction = Function(
  "optimal_value", "Computes beta ln mean exp(r / beta), the optimal value of a prompt.",
  [Parameter("rewards", rewardsType, "rewards of samples of the reference policy")]
    + valueParameters,
  returns: [Returned(.number(), "the value")],
  details: "Equation 3 of A*-PO (arXiv 2505.20686), computed without overflow for any beta.",
  example: "apo.optimal_value({1, 0, 0, 0}, 0.5)   --> 0.47…"
) { call in
  let mode = AStarPO.ValueMode(rawValue: try call[3].string()) ?? .optimal
  return call.result(
    try AStarPO.value(call[1].doubles(), mode: mode, beta: call[2].number()))
}

extension Argument {
  fileprivate func doubles() throws -> [Double] {
    if let tensor = ifObject(Tensor.self) { return tensor.values.map { Double($0) } }
    return try numbers()
  }
}

/// `logp`, `ref_logp` and `target` of a type, and `beta`.
private func regressionOptions(_ type: ValueType) -> [Parameter] {
  [
    Parameter("logp", type, "ln π(y|x) of each completion [B]"),
    Parameter("ref_logp", type, "ln π_ref(y|x) [B]"),
    Parameter("target", type, "the advantage r(x, y) - V*(x) [B]"),
    Parameter("beta", .number(), "the factor of the log-ratio"),
  ]
}

/// `apo.loss`.
let lossModule = Module(
  "apo.loss", "Compiled losses.",
  functions: [
    Function(
      "astarpo", "Computes the mean of (beta (logp - ref_logp) - target)².",
      [
        Parameter(
          "options", .options(regressionOptions(.object(Tensor.self))), "all [B], beta a number")
      ],
      returns: [Returned(.object(Tensor.self), "the loss, a scalar with gradients")],
      details: """
        The loss of A*-PO (arXiv 2505.20686), which apo.train minimises. In Lua it is \
        `((beta * (logp - ref_logp) - target) ^ 2):mean()`, with the same bits.
        """
    ) { call in
      let options = try call[1].options()
      let loss = try named("astarpo") {
        try AStarPO.loss(
          logp: options["logp"].object(Tensor.self),
          reference: options["ref_logp"].object(Tensor.self),
          target: options["target"].object(Tensor.self), beta2: options["beta"].number())
      }
      return try call.result(loss)
    },
    Function(
      "fit", "Measures how well a policy fits the optimal advantages.",
      [Parameter("options", .options(regressionOptions(rewardsType)), "all [B], beta a number")],
      returns: [
        Returned(
          .table,
          "`implicit_reward` and `advantage` (means), `residual_mean`, `residual_rms`, "
            + "`explained_variance` (nil if all advantages are equal)")
      ]
    ) { call in
      let options = try call[1].options()
      let fit = try named("fit") {
        try Regression(
          logp: options["logp"].doubles(), reference: options["ref_logp"].doubles(),
          targets: options["target"].doubles(), beta2: options["beta"].number())
      }
      return try call.result(
        [
          "implicit_reward": .number(mean(fit.implicitRewards)),
          "advantage": .number(mean(fit.targets)),
          "residual_mean": .number(fit.meanResidual), "residual_rms": .number(fit.rmsResidual),
          "explained_variance": fit.explainedVariance.map { .number($0) } ?? .nil,
        ] as LuaValue)
    },
  ])

/// The result of the body; an argument error is reported for that function.
private func named<Output>(_ function: String, _ body: () throws -> Output) throws -> Output {
  do { return try body() } catch let error as ArgumentError {
    throw LuaError("\(function): \(error)")
  }
}

private func mean(_ values: [Double]) -> Double {
  values.reduce(0, +) / Double(max(1, values.count))
}
