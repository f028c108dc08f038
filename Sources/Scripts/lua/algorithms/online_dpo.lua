-- Online DPO (Guo et al. 2024, arXiv 2402.04792; DPO is Rafailov et al. 2023, arXiv 2305.18290): of
-- n fresh completions of a prompt, the one with the best reward is preferred to the one with the
-- worst.
--
--   loss = mean( - ln sigmoid( beta [ ln pi(w|x)/pi_ref(w|x) - ln pi(l|x)/pi_ref(l|x) ] ) )
--
-- Log-probabilities are sums over a completion. A prompt whose rewards are all equal has no pair
-- and is left out; of equal best or worst ones the first counts.
--
-- Left out: preferences from a language model, which the paper asks; here the reward says. The loss
-- does not see how large the difference of the rewards is.
-- Defaults: n 2 as in the paper and in TRL; beta 0.1 is TRL's.

local apo = require "apo"
local terms = apo.terms

-- -ln sigmoid(w - l) is the first of -log_softmax{w, l}: no overflow, and smooth at w = l, where
-- every run begins.
local function loss(b, o)
  local reward = (o.beta * (b.logp - b.ref_logp)):reshape(-1, 2)
  local margin = reward:detach():narrow(2, 1, 1) - reward:detach():narrow(2, 2, 1)
  return -reward:log_softmax(2):narrow(2, 1, 1):mean(), {
    ["dpo/margin"] = margin:mean(), ["dpo/accuracy"] = margin:gt(0):mean(),
  }
end

-- The positions of best and worst of each group, side by side.
local function choose(reward, n)
  local list, positions = reward:totable(), {}
  for first = 1, #list, n do
    local best, worst = first, first
    for i = first + 1, first + n - 1 do
      if list[i] > list[best] then best = i elseif list[i] < list[worst] then worst = i end
    end
    if list[best] > list[worst] then table.move({best, worst}, 1, 2, #positions + 1, positions) end
  end
  return positions
end

local function step(s, o)
  local rollout = s:generate{n = o.n}
  local reward = s:score(rollout)
  s:log{frac_reward_zero_std = terms.equal_groups(reward, o.n)}
  local pairs_of = s:select(rollout, choose(reward, o.n))
  if #pairs_of == 0 then return end
  for b in s:minibatches(pairs_of, {n = 2}, {ref_logp = s:reference_logprobs(pairs_of)}) do
    b.logp = s:logprobs(b)
    local value, figures = loss(b, o)
    s:update(value)
    s:log(figures)
  end
end

return apo.algorithm{
  name = "online_dpo", summary = "Online DPO: the best of n against the worst (arXiv 2402.04792).",
  options = {
    {name = "n", type = "integer", minimum = 2, default = 2, text = "completions per prompt"},
    {name = "beta", type = "number", minimum = 0, maximum = 1e9, default = 0.1,
     text = "how strongly the policy is kept near the reference"},
  },
  needs_reference = true, single_update = true, step = step, loss = loss,
}
