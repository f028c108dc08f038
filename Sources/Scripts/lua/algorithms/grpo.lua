-- GRPO (Shao et al. 2024, DeepSeekMath, arXiv 2402.03300): n completions of each prompt, each
-- compared with its group instead of with a critic.
--
--   A_i  = (r_i - mean(r)) / (std(r) + eps)          the same for all tokens of completion i
--   loss = mean over i, mean over tokens t of
--            max( -A ratio, -A clip(ratio, 1 - clip, 1 + clip) ) + kl_coef * k3
--   ratio = pi(y_t) / pi_old(y_t),   k3 = pi_ref/pi - ln(pi_ref/pi) - 1
--
-- Left out: rewards of steps within a completion; the iterated change of the reference.
-- Defaults: clip, kl_coef 1e-3, eps and one pass are those of the A*-PO authors' verl (github
-- ZhaolinGao/A-PO c8823a3, which has kl_coef with the sign reversed); verl averages over all tokens
-- of a batch, `average = "token"`; the paper has n 64 and kl_coef 0.04; n 8 is TRL's, whose eps is
-- 1e-4 and kl_coef 0.

local apo = require "apo"
local terms = apo.terms

local function loss(b, o)
  local surrogate, clipped, moved = terms.clipped(b.logp, b.old_logp, b.advantage, {
    low = o.clip, high = o.clip_high, dual = o.dual_clip,
  })
  if o.kl_coef > 0 then surrogate = surrogate + o.kl_coef * terms.kl(b.logp, b.ref_logp, o.kl) end
  local mean = o.average == "token" and surrogate:mean() or b.rollout:mean(surrogate):mean()
  return mean, {["policy/clip_fraction"] = clipped, ["policy/approx_kl"] = moved}
end

local function step(s, o)
  local rollout = s:generate{n = o.n}
  local reward = s:score(rollout)
  local advantage = terms.group_advantage(reward, o.n, {eps = o.eps})
  s:note(rollout, "advantage", advantage)
  local tensors = {
    advantage = rollout:expand(advantage), old_logp = rollout:logprobs{per_token = true},
    ref_logp = o.kl_coef > 0 and s:reference_logprobs(rollout, {per_token = true}) or nil,
  }
  for b in s:minibatches(rollout, {n = o.n, epochs = o.inner_epochs}, tensors) do
    b.logp = s:logprobs(b, {per_token = true})
    local value, figures = loss(b, o)
    s:update(value)
    s:log(figures)
  end
  s:log{frac_reward_zero_std = terms.equal_groups(reward, o.n)}
end

return apo.algorithm{
  name = "grpo", summary = "GRPO: rewards normalised within groups (arXiv 2402.03300).",
  options = {
    {name = "n", type = "integer", minimum = 2, default = 8, text = "completions per prompt"},
    {name = "clip", type = "number", minimum = 0, default = 0.2, text = "clip range of the ratio"},
    {name = "clip_high", type = "number", minimum = 0, optional = true,
     text = "upper clip range; default: `clip`"},
    {name = "dual_clip", type = "number", minimum = 1, optional = true,
     text = "bounds the loss where A < 0; verl's is 3"},
    {name = "kl_coef", type = "number", minimum = 0, maximum = 1e9, default = 1e-3,
     text = "coefficient of the KL in the loss"},
    {name = "kl", one_of = {"k1", "k2", "k3"}, default = "k3", text = "the KL estimator"},
    {name = "eps", type = "number", minimum = 0, default = 1e-6,
     text = "added to the standard deviation"},
    {name = "average", one_of = {"completion", "token"}, default = "completion",
     text = "average per completion first, or over all tokens"},
    {name = "inner_epochs", type = "integer", minimum = 1, default = 1,
     text = "passes over a batch"},
  },
  needs_reference = function(o) return o.kl_coef > 0 end,
  single_update = function(o) return o.inner_epochs == 1 end,
  fresh_samples = function(o) return o.inner_epochs == 1 end,
  step = step, loss = loss,
}
