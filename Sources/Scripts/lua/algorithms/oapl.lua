-- OAPL (Ritter et al. 2026, "LLMs Can Learn to Reason Via Off-Policy RL", arXiv 2602.19362):
-- A*-PO's regression with the lagged sampler as the anchor in place of a fixed reference, and
-- values from the same group in place of stage 1.
--
--   V    = beta1 ln mean_j exp( r_j / beta1 )        over the n completions of a prompt
--   loss = mean( ( beta2 ln( pi(y_i|x) / pi_sampler(y_i|x) ) - ( r_i - V ) )^2 )
--
-- The sampler is a copy of the policy that is brought up to date every `sync` steps.
--
-- Left out: sampling at the same time as training, and with it the buffer that is cleared at a
-- sync; here each batch is drawn by the sampler as it is and used at once.
-- Defaults: beta1 1, beta2 1e-3 and sync 50 are those of the authors' mathematics run, as NeMo-RL's
-- documents state them; n 8 is ours.

local apo = require "apo"
local copy_weights = require "apo.step.algorithm_state".copy_weights

local function loss(b, o)
  return ((o.beta2 * (b.logp - b.old_logp) - b.target) ^ 2):mean()
end

-- r - V for each completion.
local function advantages(reward, o)
  local groups, result = reward:reshape(-1, o.n):totable(), {}
  for _, group in ipairs(groups) do
    local value = apo.optimal_value(group, o.beta1)
    for _, r in ipairs(group) do result[#result + 1] = r - value end
  end
  return apo.tensor(result)
end

local function step(s, o)
  local lag = (s.step - 1) % o.sync
  if lag == 0 then copy_weights(s.policy, s.state.sampler, "the sampler") end
  local rollout = s:generate{n = o.n, model = s.state.sampler}
  local target = advantages(s:score(rollout), o)
  s:note(rollout, "advantage", target)
  for b in s:minibatches(rollout, {n = o.n}, {target = target, old_logp = rollout:logprobs()}) do
    b.logp = s:logprobs(b)
    s:update(loss(b, o))
    s:log{["oapl/log_ratio"] = (b.logp - b.old_logp):detach():mean()}
  end
  s:log{["oapl/lag"] = lag}
end

return apo.algorithm{
  name = "oapl", summary = "OAPL: optimal advantages against a lagging sampler (arXiv 2602.19362).",
  options = {
    {name = "n", type = "integer", minimum = 2, default = 8, text = "completions per prompt"},
    {name = "beta1", type = "number", minimum = 0, default = 1, text = "temperature of V"},
    {name = "beta2", type = "number", minimum = 0, maximum = 1e9, default = 1e-3,
     text = "how strongly the policy is kept near the sampler"},
    {name = "sync", type = "integer", minimum = 1, default = 50, text = "steps between syncs"},
  },
  start = function(run) return {sampler = run.policy:clone():freeze()} end,
  single_update = true, sampler = true, step = step, loss = loss,
}
