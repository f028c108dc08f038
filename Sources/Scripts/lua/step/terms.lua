-- The terms of policy-gradient losses as functions of tensors: advantages of groups, the clipped
-- surrogate, estimates of the KL divergence, generalised advantage estimation. The algorithm
-- chooses the average: `t:mean()` over all tokens, `rollout:mean(t):mean()` over completions.
-- Statistics of rewards are computed in double precision.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"

local terms = documented{
  module = "apo.terms", summary = "Terms of policy-gradient losses.",
  details = "Tensors hold one number per completion [B] or per token [tokens]. Values equal "
    .. "verl's (github volcengine/verl b178a3c, verl/trainer/ppo/core_algos.py).",
}

local tensor_result = {{type = "apo.Tensor", text = "of the same shape"}}

local function mean_of(list)
  local sum = 0
  for _, x in ipairs(list) do sum = sum + x end
  return sum / #list
end

-- The unbiased deviation.
local function deviation(list, mean)
  local squares = 0
  for _, x in ipairs(list) do squares = squares + (x - mean) ^ 2 end
  return math.sqrt(squares / (#list - 1))
end

-- Whether all numbers are the same, where rounding would leave a deviation above 0.
local function is_constant(list)
  for _, x in ipairs(list) do
    if x ~= list[1] then return false end
  end
  return true
end

-- Calls f with the numbers of each group of n; it gives the new ones.
local function by_group(what, t, n, f)
  local all, result = t:detach():totable(), {}
  if #all % n ~= 0 then
    fail(("%s: %d numbers do not divide into groups of %d"):format(what, #all, n))
  end
  for first = 1, #all, n do
    table.move(f(table.move(all, first, first + n - 1, 1, {})), 1, n, first, result)
  end
  return apo.tensor(result)
end

local group_parameters = {
  {name = "reward", type = "apo.Tensor", text = "[B], grouped by prompt"},
  {name = "n", type = "integer", minimum = 1, text = "completions per prompt"},
}

terms.group_advantage = documented{
  name = "apo.terms.group_advantage",
  summary = "Normalises each reward within its group: (r - mean) / (std + eps).",
  details = "`std` is the unbiased standard deviation; a group of one has mean 0 and standard "
    .. "deviation 1 (verl); a group of equal rewards has advantage 0.",
  parameters = group_parameters,
  options = {
    {name = "std", type = "boolean", default = true, text = "whether to divide by std"},
    {name = "eps", type = "number", default = 1e-6, text = "verl's; TRL has 1e-4"},
  },
  returns = tensor_result,
  call = function(reward, n, options)
    return by_group("group_advantage", reward, n, function(group)
      if n > 1 and is_constant(group) then return apo.zeros(n):totable() end
      local mean = n > 1 and mean_of(group) or 0
      local scale = options.std and (n > 1 and deviation(group, mean) or 1) + options.eps or 1
      for i, r in ipairs(group) do group[i] = (r - mean) / scale end
      return group
    end)
  end,
}

terms.leave_one_out = documented{
  name = "apo.terms.leave_one_out",
  summary = "Subtracts from each reward the mean of the others in its group.",
  parameters = group_parameters, returns = tensor_result,
  call = function(reward, n)
    if n < 2 then fail("leave_one_out: n must be at least 2, got " .. n) end
    return by_group("leave_one_out", reward, n, function(group)
      local mean = mean_of(group)
      for i, r in ipairs(group) do group[i] = (r - mean) * n / (n - 1) end
      return group
    end)
  end,
}

terms.equal_groups = documented{
  name = "apo.terms.equal_groups",
  summary = "Returns the share of groups whose rewards are all equal, which carry no signal.",
  parameters = group_parameters, returns = {{type = "number", text = "from 0 to 1"}},
  call = function(reward, n)
    local groups = reward:detach():reshape(-1, n)
    return groups:max(2):eq(groups:min(2)):mean():item()
  end,
}

terms.whiten = documented{
  name = "apo.terms.whiten", summary = "Normalises numbers to mean 0 and variance 1.",
  details = "Uses the unbiased variance with 1e-8 under the root, as verl. A single number "
    .. "gives 0.",
  parameters = {{name = "t", type = "apo.Tensor", text = "[tokens] or [B]"}},
  returns = tensor_result,
  call = function(t)
    local list = t:detach():totable()
    local mean = mean_of(list)
    local variance = #list > 1 and deviation(list, mean) ^ 2 or 0
    local scale = 1 / math.sqrt(variance + 1e-8)
    for i, x in ipairs(list) do list[i] = (x - mean) * scale end
    return apo.tensor(list)
  end,
}

terms.clipped = documented{
  name = "apo.terms.clipped",
  summary = "Computes PPO's surrogate: max(-A ratio, -A clip(ratio, 1 - low, 1 + high)).",
  details = "ratio = exp(logp - old_logp), at most e^20. Equation 7 of arXiv 1707.06347.",
  parameters = {
    {name = "logp", type = "apo.Tensor", text = "of the policy, with gradients"},
    {name = "old_logp", type = "apo.Tensor", text = "of the sampler"},
    {name = "advantage", type = "apo.Tensor", text = "of the same shape"},
  },
  options = {
    {name = "low", type = "number", minimum = 0, default = 0.2, text = "clip below"},
    {name = "high", type = "number", minimum = 0, optional = true,
     text = "clip above; default: `low`"},
    {name = "dual", type = "number", minimum = 1, optional = true,
     text = "where A < 0, at most -A times this (arXiv 1912.09729); verl's is 3"},
  },
  returns = {
    {type = "apo.Tensor", text = "the loss of each token"},
    {type = "number", text = "the share of clipped tokens"},
    {type = "number", text = "the mean of old_logp - logp, an estimate of the KL divergence"},
  },
  call = function(logp, old_logp, advantage, options)
    local difference = logp - old_logp
    local ratio = difference:clamp(-20, 20):exp()
    local free = -advantage * ratio
    local bound = -advantage * ratio:clamp(1 - options.low, 1 + (options.high or options.low))
    local loss = apo.maximum(free, bound)
    if options.dual then
      loss = apo.where(advantage:lt(0), apo.minimum(loss, -advantage * options.dual), loss)
    end
    return loss, bound:detach():gt(free:detach()):mean():item(), -difference:detach():mean():item()
  end,
}

terms.kl = documented{
  name = "apo.terms.kl", summary = "Estimates KL(policy, reference) per token.",
  details = "With d = logp - ref_logp: k1 = d, k2 = d²/2, k3 = e^-d + d - 1 (J. Schulman, "
    .. "joschu.net/blog/kl-approx.html). As in verl, d is clamped to ±20 for k3, and k3 to ±10.",
  parameters = {
    {name = "logp", type = "apo.Tensor", text = "of the policy"},
    {name = "ref_logp", type = "apo.Tensor", text = "of the reference"},
    {name = "kind", one_of = {"k1", "k2", "k3"}, default = "k3", text = "the estimator"},
  },
  returns = tensor_result,
  call = function(logp, ref_logp, kind)
    local d = logp - ref_logp
    if kind == "k1" then return d elseif kind == "k2" then return 0.5 * d ^ 2 end
    d = d:clamp(-20, 20)
    return ((-d):exp() + d - 1):clamp(-10, 10)
  end,
}

for name, term in pairs(require "apo.step.critic_terms") do terms[name] = term end

return terms
