-- DAPO (Yu et al. 2025, arXiv 2503.14476): GRPO with four changes.
--
--   clip-higher       ratio clipped to 1 - 0.2 … 1 + 0.28, so that unlikely tokens can grow
--   token mean        loss = mean over all tokens of a batch, not first over each completion
--   dynamic sampling  groups whose rewards are all equal are sampled again, up to `resample` times;
--                     those that stay equal are dropped from the update
--   overlong shaping  a completion of more than L = max_tokens - buffer tokens loses
--                     (length - L) / buffer, so 1 at max_tokens
--
--   A_i = (r_i - mean(r)) / (std(r) + eps),   loss = mean over tokens of the clipped surrogate
--
-- Left out: the paper fills the batch with other prompts, here the same ones are drawn again, so
-- that a step stays a function of its rows; overlong completions are shaped, never masked.
-- Defaults: clips, no KL and the buffer of a fifth (4096 of 20480) are the authors'; n is 16 there
-- and 8 here; resample 2 is ours (verl's recipe goes on for at most 10 batches); eps is verl's.

local apo = require "apo"
local terms = apo.terms

local function loss(b, o)
  local surrogate, clipped, moved = terms.clipped(b.logp, b.old_logp, b.advantage, {
    low = o.clip, high = o.clip_high,
  })
  return surrogate:mean(), {["policy/clip_fraction"] = clipped, ["policy/approx_kl"] = moved}
end

-- The overlong penalty added to a completion's reward.
local function penalty(length, max_tokens, o)
  local buffer = math.max(1, math.floor(o.overlong * max_tokens + 0.5))
  if o.overlong == 0 or length <= max_tokens - buffer then return 0 end
  return -math.min(1, (length - (max_tokens - buffer)) / buffer)
end

-- Samples groups until their rewards differ: a rollout of those that do, and their rewards.
local function sample(s, o)
  local rows, rollouts, kept, rewards, total = s.rows, {}, {}, {}, 0
  for _ = 0, o.resample do
    local rollout = s:generate{n = o.n, rows = rows}
    local reward, equal = s:score(rollout):totable(), {}
    for g = 1, #rows do
      local first, is_equal = (g - 1) * o.n, true
      for i = 2, o.n do is_equal = is_equal and reward[first + i] == reward[first + 1] end
      if is_equal then equal[#equal + 1] = rows[g] end
      for i = 1, is_equal and 0 or o.n do
        kept[#kept + 1], rewards[#rewards + 1] = total + first + i, reward[first + i]
      end
    end
    rollouts[#rollouts + 1], rows, total = rollout, equal, total + #rollout
    if #rows == 0 then break end
  end
  s:log{["dapo/left_out_frac"] = #rows / #s.rows, ["dapo/rounds"] = #rollouts}
  return s:select(rollouts, kept), rewards
end

local function step(s, o)
  local rollout, rewards = sample(s, o)
  if #rollout == 0 then return end
  for i, completion in ipairs(s:samples_of(rollout)) do
    rewards[i] = rewards[i] + penalty(completion.length, s.options.max_tokens, o)
  end
  local advantage = terms.group_advantage(apo.tensor(rewards), o.n, {eps = o.eps})
  s:note(rollout, "advantage", advantage)
  local tensors = {
    advantage = rollout:expand(advantage), old_logp = rollout:logprobs{per_token = true},
  }
  for b in s:minibatches(rollout, {n = o.n, epochs = o.inner_epochs}, tensors) do
    b.logp = s:logprobs(b, {per_token = true})
    local value, figures = loss(b, o)
    s:update(value)
    s:log(figures)
  end
end

-- Replaces apo.train's warning that nothing was updated.
local function nothing_updated(figures)
  if figures["dapo/left_out_frac"] ~= 1 then return nil end
  return "the rewards of every group were equal, so all were left out and nothing was updated: try "
    .. "prompts that are neither too easy nor too hard, a larger n, or a higher resample"
end

return apo.algorithm{
  name = "dapo", summary = "DAPO: clip-higher, token mean, dynamic sampling (arXiv 2503.14476).",
  options = {
    {name = "n", type = "integer", minimum = 2, default = 8, text = "completions per prompt"},
    {name = "clip", type = "number", minimum = 0, default = 0.2,
     text = "lower clip range of the ratio"},
    {name = "clip_high", type = "number", minimum = 0, default = 0.28,
     text = "upper clip range of the ratio"},
    {name = "resample", type = "integer", minimum = 0, maximum = 1000, default = 2,
     text = "how often groups with equal rewards are resampled"},
    {name = "overlong", type = "number", minimum = 0, maximum = 1, default = 0.2,
     text = "the overlong buffer as a share of max_tokens; 0 for no penalty"},
    {name = "eps", type = "number", minimum = 0, default = 1e-6,
     text = "added to the standard deviation"},
    {name = "inner_epochs", type = "integer", minimum = 1, default = 1,
     text = "passes over a batch"},
  },
  single_update = function(o) return o.inner_epochs == 1 end,
  warnings = {nothing_updated = nothing_updated}, step = step, loss = loss,
}
