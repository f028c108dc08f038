-- RLOO (Ahmadian et al. 2024, arXiv 2402.14740; Kool et al. 2019): REINFORCE with n completions of
-- each prompt, each compared with the mean of the others.
--
--   R_i  = r_i - kl_coef * ln( pi_old(y_i|x) / pi_ref(y_i|x) )
--   A_i  = R_i - mean of R_j over j other than i
--   loss = - mean( A_i * ln pi(y_i|x) )             ln pi is the sum over the completion
--
-- Left out: the clipped ratio by which TRL's trainer allows several passes; with `mini_batch` the
-- later updates of a step are slightly off-policy and not corrected.
-- Defaults: n 4 is the paper's larger setting; kl_coef 0.05 is TRL's.

local apo = require "apo"
local terms = apo.terms

local function loss(b) return -(b.advantage * b.logp):mean() end

local function step(s, o)
  local rollout = s:generate{n = o.n}
  local reward = s:score(rollout)
  local penalised = reward
  if o.kl_coef > 0 then
    penalised = reward - o.kl_coef * (rollout:logprobs() - s:reference_logprobs(rollout))
  end
  local advantage = terms.leave_one_out(penalised, o.n)
  s:note(rollout, "advantage", advantage)
  for b in s:minibatches(rollout, {n = o.n}, {advantage = advantage}) do
    b.logp = s:logprobs(b)
    s:update(loss(b))
  end
  s:log{frac_reward_zero_std = terms.equal_groups(reward, o.n)}
end

return apo.algorithm{
  name = "rloo", summary = "RLOO: REINFORCE with a leave-one-out baseline (arXiv 2402.14740).",
  options = {
    {name = "n", type = "integer", minimum = 2, default = 4, text = "completions per prompt"},
    {name = "kl_coef", type = "number", minimum = 0, maximum = 1e9, default = 0.05,
     text = "coefficient of the KL in the reward"},
  },
  needs_reference = function(o) return o.kl_coef > 0 end,
  single_update = true, fresh_samples = true, step = step, loss = loss,
}
