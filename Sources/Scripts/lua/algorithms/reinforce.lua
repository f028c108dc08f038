-- REINFORCE (Williams 1992, Machine Learning 8:229-256) with a baseline that does not depend on the
-- completion: one completion of each prompt.
--
--   R    = r - kl_coef * ln( pi_old(y|x) / pi_ref(y|x) )
--   loss = - mean( (R - b) * ln pi(y|x) )           ln pi is the sum over the completion
--
-- b is the average of R over the steps before, b <- decay * b + (1 - decay) * mean(R), divided by
-- the weight it has seen ("running"); the mean of the batch ("batch"); or 0 ("none").
--
-- Left out: a learned baseline, which is PPO's critic. With `mini_batch` the later updates of a
-- step are slightly off-policy and not corrected.
-- Defaults: ours. No KL penalty, as in the original; decay 0.9.

local apo = require "apo"

local function loss(b) return -(b.advantage * b.logp):mean() end

local function baseline(state, o, mean)
  if o.baseline == "none" then return 0 end
  return o.baseline == "running" and state.weight > 0 and state.sum / state.weight or mean
end

-- Updates the running baseline after a step.
local function learn(state, decay, mean)
  state.sum = decay * state.sum + (1 - decay) * mean
  state.weight = decay * state.weight + (1 - decay)
end

local function step(s, o)
  local rollout = s:generate()
  local reward = s:score(rollout)
  if o.kl_coef > 0 then
    reward = reward - o.kl_coef * (rollout:logprobs() - s:reference_logprobs(rollout))
  end
  local mean = reward:mean():item()
  local b0 = baseline(s.state, o, mean)
  local advantage = reward - b0
  s:note(rollout, "advantage", advantage)
  for b in s:minibatches(rollout, {}, {advantage = advantage}) do
    b.logp = s:logprobs(b)
    s:update(loss(b))
  end
  learn(s.state, o.decay, mean)  -- after the updates, as apo.algorithm asks
  s:log{baseline = b0}
end

return apo.algorithm{
  name = "reinforce", summary = "REINFORCE with a baseline (Williams 1992).",
  options = {
    {name = "baseline", one_of = {"running", "batch", "none"}, default = "running",
     text = "the baseline subtracted from rewards"},
    {name = "decay", type = "number", minimum = 0, maximum = 1, default = 0.9,
     text = "decay of the running baseline"},
    {name = "kl_coef", type = "number", minimum = 0, maximum = 1e9, default = 0,
     text = "coefficient of the KL in the reward"},
  },
  needs_reference = function(o) return o.kl_coef > 0 end,
  start = function() return {sum = 0, weight = 0} end,
  single_update = true, fresh_samples = true, step = step, loss = loss,
}
