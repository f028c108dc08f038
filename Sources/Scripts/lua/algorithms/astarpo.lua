-- A*-PO, stage 2 (Brantley et al. 2025, arXiv 2505.20686): one completion y for each prompt x of a
-- batch, drawn from the policy as it is now, then least squares on the optimal advantage:
--
--   loss = mean( ( beta * ln( pi(y|x) / pi_ref(y|x) )  -  ( r(x,y) - V*(x) ) )^2 )
--
-- V* comes from stage 1, apo.estimate_values. No critic, no group of samples, no importance ratio,
-- no clipping, no normalisation. The target r - V* and the loss are functions that a script can
-- replace: the options `target` and `loss`.
--
-- Omissions: nothing in the authors' code (github ZhaolinGao/A-PO c8823a3) that has an effect.
-- Defaults: beta 1e-3 is the authors'; the rest of their settings is in apo.presets.

local apo = require "apo"
local fail = require "apo.fail"

local function optimal_advantage(sample) return sample.reward - sample.value end

-- ((b.beta * (b.logp - b.ref_logp) - b.target) ^ 2):mean(), compiled
local function regression(b)
  return apo.loss.astarpo{logp = b.logp, ref_logp = b.ref_logp, target = b.target, beta = b.beta}
end

local function step(s, o)
  local y      = s:generate()                                  -- one y ~ pi(.|x) per prompt x
  local r      = s:score(y)                                    -- r(x, y)            [B]
  local v      = s:optimal_values(y)                           -- V*(x), stage 1     [B]
  local ref    = s:reference_logprobs(y)                       -- ln pi_ref(y|x)     [B]
  local target = s:targets(y, o.target or optimal_advantage)   -- r(x, y) - V*(x)    [B]
  local batch  = {reward = r, value = v, ref_logp = ref, target = target}
  for b in s:minibatches(y, {}, batch) do
    b.logp, b.beta = s:logprobs(b), o.beta                     -- ln pi(y|x)         [B]
    s:update(s:loss(b, o.loss or regression))
  end
end

local function start(_, o)
  if not (o.values or o.target or o.loss) then
    fail("train: option 'values' is missing (an apo.Values; see apo.estimate_values)")
  end
end

return apo.algorithm{
  name = "astarpo", summary = "A*-PO: regression on optimal advantages (arXiv 2505.20686).",
  details = "Its options are part of apo.train: `values`, `beta`, `target`, `loss`.",
  takes = {
    {name = "values", type = "apo.Values", optional = true,
     text = "from apo.estimate_values; needed by A*-PO unless `target` or `loss` does not use it"},
    {name = "beta", type = "number or function", minimum = 0, maximum = 1e9, default = 1e-3,
     notes = {live = true},
     signature = "fun(step: integer, total: integer): number",
     text = "A*-PO's beta2: how strongly the policy is kept near the reference; or a function "
       .. "of (step, total steps)"},
    {name = "target", type = "function or string", optional = true, notes = {is_file = true},
     signature = "fun(sample: apo.Sample): number",
     text = "receives a sample (`reward`, `rewards`, `value`, `row`, `completion`, `logp`, "
       .. "`ref_logp`, `length`, `finish_reason`, `stop_reason`, `step`), returns a number; or "
       .. "the path of a file that returns it; default: `reward - value`"},
    {name = "loss", type = "function or string", optional = true, notes = {is_file = true},
     signature = "fun(batch: apo.LossBatch): apo.Tensor, table<string, number>?",
     text = "receives a batch (tensors [B] `logp`, `ref_logp`, `old_logp`, `target`, `reward`, "
       .. "`value`, `entropy`; `rollout`, `rows`, `samples`, `policy`, `reference`, `beta`, "
       .. "`step`), returns a scalar apo.Tensor and optionally a table of metrics to log; or the "
       .. "path of a file that returns it; default: the regression"},
  },
  needs_reference = true, single_update = true, fresh_samples = true,
  warnings = {zero_gradient = function()
    return "the gradient is exactly zero: the policy does not change. The target must depend on "
      .. "the completion, and the loss on b.logp"
  end},
  start = start, step = step, loss = regression,
}
