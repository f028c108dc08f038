-- REBEL (Gao et al. 2024, arXiv 2404.16767): two completions y, y' of each prompt, and a regression
-- of the difference of their log-ratios on the difference of their rewards.
--
--   loss = mean( ( (1/eta) [ ln pi(y|x)/pi_t(y|x) - ln pi(y'|x)/pi_t(y'|x) ]
--                  - [ r(x,y) - r(x,y') ] )^2 )
--
-- pi_t is the policy that drew them. Log-probabilities are sums over a completion. With one pass in
-- one piece the log-ratios are 0 and this is RLOO with two samples; further passes are its point.
--
-- Left out: the KL penalty in the reward of the authors' TL;DR run (0.05); a second sampler for y'.
-- Defaults: eta 1 and 4 passes are those of the authors' code (github ZhaolinGao/REBEL 4ad7c11),
-- whose loss is this one times eta^2; what the A*-PO paper used for its comparison is not known.

local apo = require "apo"

local function loss(b, o)
  local pairs_of = (b.logp - b.old_logp):reshape(-1, 2)
  local rewards = b.reward:reshape(-1, 2)
  local ratio = pairs_of:narrow(2, 1, 1) - pairs_of:narrow(2, 2, 1)
  local difference = rewards:narrow(2, 1, 1) - rewards:narrow(2, 2, 1)
  return ((ratio / o.eta - difference) ^ 2):mean()
end

local function step(s, o)
  local rollout = s:generate{n = 2}
  local reward = s:score(rollout)
  local tensors = {reward = reward, old_logp = rollout:logprobs()}
  for b in s:minibatches(rollout, {n = 2, epochs = o.inner_epochs}, tensors) do
    b.logp = s:logprobs(b)
    s:update(loss(b, o))
  end
  s:log{frac_reward_zero_std = apo.terms.equal_groups(reward, 2)}
end

return apo.algorithm{
  name = "rebel", summary = "REBEL: regression of relative rewards (arXiv 2404.16767).",
  options = {
    {name = "eta", type = "number", default = 1, minimum = 1e-12, maximum = 1e9,
     text = "how far the policy moves from the sampler: the inverse of a KL coefficient"},
    {name = "inner_epochs", type = "integer", minimum = 1, default = 4,
     text = "passes over a batch"},
  },
  n = 2, single_update = function(o) return o.inner_epochs == 1 end,
  fresh_samples = function(o) return o.inner_epochs == 1 end,
  step = step, loss = loss,
}
