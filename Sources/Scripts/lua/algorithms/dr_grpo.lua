-- Dr. GRPO (Liu et al. 2025, "Understanding R1-Zero-Like Training", arXiv 2503.20783): GRPO without
-- the two divisions that favour long wrong completions and very easy or hard prompts.
--
--   A_i  = r_i - mean(r)                             no deviation
--   loss = mean over i of ( 1/L sum over tokens of max( -A ratio, -A clip(ratio, 1-clip, 1+clip) )
--   )
--
-- L is one number for all completions, the longest that there may be (max_tokens), where GRPO has
-- the length of completion i. verl's seq-mean-token-sum-norm is this loss times the number of
-- completions.
--
-- Left out: nothing of the paper.
-- Defaults: no KL penalty, clip 0.2 and n 8 are the authors' (github sail-sg/understand-r1-zero).

local apo = require "apo"
local terms = apo.terms

local function loss(b, o)
  local surrogate, clipped, moved = terms.clipped(b.logp, b.old_logp, b.advantage, {low = o.clip})
  local mean = b.rollout:sum(surrogate):mean() / b.max_tokens
  return mean, {["policy/clip_fraction"] = clipped, ["policy/approx_kl"] = moved}
end

local function step(s, o)
  local rollout = s:generate{n = o.n}
  local reward = s:score(rollout)
  local advantage = terms.group_advantage(reward, o.n, {std = false})
  s:note(rollout, "advantage", advantage)
  local tensors = {
    advantage = rollout:expand(advantage), old_logp = rollout:logprobs{per_token = true},
  }
  for b in s:minibatches(rollout, {n = o.n, epochs = o.inner_epochs}, tensors) do
    b.logp, b.max_tokens = s:logprobs(b, {per_token = true}), s.options.max_tokens
    local value, figures = loss(b, o)
    s:update(value)
    s:log(figures)
  end
  s:log{frac_reward_zero_std = terms.equal_groups(reward, o.n)}
end

return apo.algorithm{
  name = "dr_grpo", summary = "Dr. GRPO: GRPO without its biases (arXiv 2503.20783).",
  options = {
    {name = "n", type = "integer", minimum = 2, default = 8, text = "completions per prompt"},
    {name = "clip", type = "number", minimum = 0, default = 0.2, text = "clip range of the ratio"},
    {name = "inner_epochs", type = "integer", minimum = 1, default = 1,
     text = "passes over a batch"},
  },
  single_update = function(o) return o.inner_epochs == 1 end,
  fresh_samples = function(o) return o.inner_epochs == 1 end,
  step = step, loss = loss,
}
