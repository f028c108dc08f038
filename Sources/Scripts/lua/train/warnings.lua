-- Warnings for runs that are not learning, with advice. Conditions that can occur by chance must
-- hold for several logged steps in a row.

local fail = require "apo.fail"

local rules = {  -- name, logged steps in a row, the text or nil
  {"same_rewards", 3, function(r)
    if r.reward_std ~= 0 then return nil end
    return ("all completions got the reward %g: there is hardly anything to learn from. Read "
      .. "completions.jsonl: is the answer where the reward looks for it? Then try easier prompts, "
      .. "more max_tokens, or a reward with partial credit"):format(r.reward)
  end},
  {"all_cut", 3, function(r)
    if r["completions/clipped_ratio"] ~= 1 then return nil end
    return "max_tokens cut off every completion, so none was ever finished: raise max_tokens, or "
      .. "give `stop` what ends an answer; a base model may never write its end token"
  end},
  {"cut", 1, function(r)
    local ratio = r["completions/clipped_ratio"]
    if ratio <= 0.3 or ratio == 1 then return nil end
    return ("%.0f %% of the completions were truncated at max_tokens and may have been right: "
      .. "raise it"):format(100 * ratio)
  end},
  {"equal_groups", 3, function(r)
    if r.frac_reward_zero_std ~= 1 or r.reward_std == 0 then return nil end
    return "in every group all completions got the same reward, so there is nothing to compare: "
      .. "try prompts that are neither too easy nor too hard, a larger n, or a reward with "
      .. "partial credit"
  end},
  {"nothing_updated", 3, function(r)
    if r.loss or r.frac_reward_zero_std == 1 or r.reward_std == 0 then return nil end
    return "the policy was not updated at all: s:update was not called"
  end},
  {"zero_gradient", 3, function(r, name)
    if r.grad_norm ~= 0 or r.frac_reward_zero_std == 1 then return nil end
    return ("the gradient is exactly zero: the policy does not change. The loss of '%s' does not "
      .. "depend on the policy's log-probabilities, or its advantages are all 0"):format(name)
  end},
  {"no_update", 3, function(r)
    if r["update/weight_delta_norm"] ~= 0 or r.grad_norm == 0 then return nil end
    return "the weights do not change although there is a gradient: is the learning rate 0, or too "
      .. "small for float32?"
  end},
  {"far_away", 3, function(r)
    if not r.kl or r.kl <= 2 then return nil end
    return ("the policy is %.1f nats per token away from the reference and may write nonsense: "
      .. "look at completions.jsonl; lower lr or raise beta"):format(r.kl)
  end},
  {"unsolved", 3, function(r)
    if r["apo/v_star_zero_frac"] ~= 1 then return nil end
    return "no reference sample solved any of these prompts, so V* is 0 for all: easier prompts, "
      .. "more samples (n of apo.estimate_values) or more max_tokens; see also drop_unsolved"
  end},
  {"all_solved", 3, function(r)
    if r["apo/v_star_one_frac"] ~= 1 then return nil end
    return "the reference solved all of these prompts each time, so only failures teach: take "
      .. "harder ones"
  end},
  {"disagreement", 1, function(r)
    local difference = r["sampling/sampling_logp_difference/max"]
    if not difference or difference == 0 then return nil end
    return ("sampler and trainer differ by %.2g in a log-probability; it should be 0: please "
      .. "report it"):format(difference)
  end},
}

-- Whether the texts that an algorithm has are functions, each for a warning that there is.
local function check(algorithm)
  local known, names = {}, {}
  for i, rule in ipairs(rules) do known[rule[1]], names[i] = true, rule[1] end
  for name, text in pairs(algorithm.warnings) do
    if not known[name] or type(text) ~= "function" then
      fail(("algorithm '%s': warnings: functions by these names expected: %s; got a %s for '%s'")
        :format(algorithm.name, table.concat(names, ", "), type(text), tostring(name)))
    end
  end
end

-- Returns a function from the metrics of a step to warnings, each at most once in 50 calls.
-- `algorithm` has a name, and its own texts in `warnings`.
return function(algorithm)
  local calls, streaks, said = 0, {}, {}
  check(algorithm)
  return function(record)
    calls = calls + 1
    local texts = {}
    for _, rule in ipairs(rules) do
      local name, needed, test = rule[1], rule[2], rule[3]
      local text, own = test(record, algorithm.name), algorithm.warnings[name]
      text = text and (own and own(record) or text)
      streaks[name] = text and (streaks[name] or 0) + 1 or 0
      if streaks[name] >= needed and calls - (said[name] or -50) >= 50 then
        said[name] = calls
        texts[#texts + 1] = text
      end
    end
    return texts
  end
end
