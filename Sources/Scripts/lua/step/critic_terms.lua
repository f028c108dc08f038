-- The terms of a method with a critic: rewards of tokens, generalised advantage estimation, the
-- loss of values. They belong to apo.terms, beside those of terms.lua.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"

local terms = {}

local function check_length(what, t, count, of)
  if t:dim() == 1 and #t == count then return end
  fail(("%s: a number for each of the %d %s expected, got shape [%s]"):format(
    what, count, of, table.concat(t:shape(), ", ")))
end

local function token_count(rollout)
  local count = 0
  for _, length in ipairs(rollout:lengths():totable()) do count = count + math.tointeger(length) end
  return count
end

-- The numbers of a tensor as a list for each completion.
local function by_completion(rollout, t)
  local flat, lists, first = t:detach():totable(), {}, 1
  for i, length in ipairs(rollout:lengths():totable()) do
    lists[i] = table.move(flat, first, first + math.tointeger(length) - 1, 1, {})
    first = first + math.tointeger(length)
  end
  return lists
end

local function joined(lists)
  local flat = {}
  for _, list in ipairs(lists) do table.move(list, 1, #list, #flat + 1, flat) end
  return apo.tensor(flat)
end

terms.at_last_token = documented{
  name = "apo.terms.at_last_token",
  summary = "Puts each completion's reward on its last token, and 0 on the others.",
  parameters = {
    {name = "rollout", type = "apo.Rollout", text = "the completions"},
    {name = "reward", type = "apo.Tensor", text = "[B]"},
  },
  returns = {{type = "apo.Tensor", text = "[tokens]"}},
  call = function(rollout, reward)
    local flat = {}
    check_length("at_last_token", reward, #rollout, "completions")
    local rewards = reward:detach():totable()
    for i, length in ipairs(rollout:lengths():totable()) do
      for k = 1, length do flat[#flat + 1] = k == length and rewards[i] or 0 end
    end
    return apo.tensor(flat)
  end,
}

terms.gae = documented{
  name = "apo.terms.gae", summary = "Estimates the advantage of each token (arXiv 1506.02438).",
  details = "delta_t = r_t + gamma V_t+1 - V_t and A_t = delta_t + gamma lambda A_t+1, with 0 "
    .. "after the last token; V_t is the value before token t.",
  parameters = {
    {name = "rollout", type = "apo.Rollout", text = "the completions"},
    {name = "reward", type = "apo.Tensor", text = "of each token [tokens]"},
    {name = "value", type = "apo.Tensor", text = "before each token [tokens]"},
  },
  options = {
    {name = "gamma", type = "number", default = 1, text = "the discount"},
    {name = "lambda", type = "number", default = 1, text = "1 counts all future rewards"},
  },
  returns = {{type = "apo.Tensor", text = "advantages [tokens]"},
             {type = "apo.Tensor", text = "returns, advantage + value [tokens]"}},
  call = function(rollout, reward, value, options)
    check_length("gae: reward", reward, token_count(rollout), "tokens")
    check_length("gae: value", value, token_count(rollout), "tokens")
    local rewards, values = by_completion(rollout, reward), by_completion(rollout, value)
    local advantages = {}
    for i, r in ipairs(rewards) do
      local a, next_value, next_advantage = {}, 0, 0
      for t = #r, 1, -1 do
        local delta = r[t] + options.gamma * next_value - values[i][t]
        a[t] = delta + options.gamma * options.lambda * next_advantage
        next_value, next_advantage = values[i][t], a[t]
      end
      advantages[i] = a
    end
    local advantage = joined(advantages)
    return advantage, advantage + value:detach()
  end,
}

terms.clipped_value = documented{
  name = "apo.terms.clipped_value",
  summary = "Computes PPO's value loss: max((v - R)², (clip(v, old - c, old + c) - R)²) / 2.",
  parameters = {
    {name = "value", type = "apo.Tensor", text = "of the critic, with gradients"},
    {name = "old_value", type = "apo.Tensor", text = "before the update"},
    {name = "returns", type = "apo.Tensor", text = "the target"},
    {name = "clip", type = "number", minimum = 0, default = 0.5,
     text = "c, as in the authors' code and verl"},
  },
  returns = {{type = "apo.Tensor", text = "the loss of each token"},
             {type = "number", text = "the share of clipped tokens"}},
  call = function(value, old_value, returns, clip)
    local near = apo.maximum(apo.minimum(value, old_value + clip), old_value - clip)
    local free, bound = (value - returns) ^ 2, (near - returns) ^ 2
    return 0.5 * apo.maximum(free, bound), bound:detach():gt(free:detach()):mean():item()
  end,
}

terms.explained_variance = documented{
  name = "apo.terms.explained_variance",
  summary = "Measures how well values predict returns: 1 - var(returns - values) / var(returns).",
  parameters = {
    {name = "value", type = "apo.Tensor", text = "the predictions"},
    {name = "returns", type = "apo.Tensor", text = "the actual returns"},
  },
  returns = {{type = "number", text = "1 is perfect; 0 is no better than the mean, or undefined"}},
  call = function(value, returns)
    local function variance(t)
      local n = t:numel()
      local difference = t:detach() - t:detach():mean()
      return n > 1 and (difference ^ 2):sum():item() / (n - 1) or 0
    end
    local total = variance(returns)
    return total > 0 and 1 - variance(returns - value) / total or 0
  end,
}

return terms
