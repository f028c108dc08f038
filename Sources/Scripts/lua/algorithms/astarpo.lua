-- A*-PO, stage 2 (Brantley et al. 2025, arXiv 2505.20686): one completion y for each prompt x of a
-- batch, drawn from the policy as it is now, then least squares on the optimal advantage:
--
--   loss = mean( ( beta * ln( pi(y|x) / pi_ref(y|x) )  -  ( r(x,y) - V*(x) ) )^2 )
--
-- V* comes from stage 1, apo.estimate_values. No critic, no group of samples, no importance ratio,
-- no clipping, no normalisation. The target r - V* and the loss are functions that a script can
-- replace: the options `target` and `loss` of apo.train.
--
-- Left out: nothing of the authors' code (github ZhaolinGao/A-PO c8823a3) that has an effect.
-- Defaults: beta 1e-3 is the authors'; the rest of their settings is in apo.presets.

local apo = require "apo"
local targets, with_timeout = require "apo.step.targets", require "apo.script.with_timeout"
local fail = require "apo.fail"

local function advantage(sample) return sample.reward - sample.value end

-- ((b.beta * (b.logp - b.ref_logp) - b.target) ^ 2):mean(), compiled
local function regression(b)
  return apo.loss.astarpo{logp = b.logp, ref_logp = b.ref_logp, target = b.target, beta = b.beta}
end

local function start(run)
  local o = run.options
  if not o.values and not o.target and not o.loss then
    fail("train: option 'values' is missing (an apo.Values; see apo.estimate_values)")
  end
end

local function step(s)
  local o = s.options
  local rollout = s:generate()
  local reward = s:score(rollout)
  local value = s.values and s.values:of(s.rows) or apo.zeros(#s.rows)
  local ref_logp = s:reference_logprobs(rollout)
  s:note(rollout, "value", value)
  local tensors = {
    reward = reward, value = value, ref_logp = ref_logp, old_logp = rollout:logprobs(),
    target = targets(s:samples_of(rollout), o.target or advantage, o.reward_timeout,
                     o.state),
  }
  for b in s:minibatches(rollout, {}, tensors) do
    b.samples, b.rows, b.beta = s:samples_of(b.rollout), {}, o.beta
    for i, sample in ipairs(b.samples) do b.rows[i] = sample.row end
    b.policy, b.reference, b.state = s.policy, s.reference, o.state
    b.logp, b.entropy = s:logprobs(b)
    local loss = with_timeout(o.reward_timeout, "loss", s.step, o.loss or regression, b)
    s:note(b.rollout, "fitted", b.logp)  -- as it was before the update
    s:update(loss)
  end
end

return apo.algorithm{
  name = "astarpo", summary = "A*-PO: regression on optimal advantages (arXiv 2505.20686).",
  details = "Its settings are apo.train's: `values`, `beta`, `target`, `loss`.",
  takes = {"values", "target", "loss", "beta"}, needs_reference = true,
  single_update = true, start = start, step = step, loss = regression,
}
