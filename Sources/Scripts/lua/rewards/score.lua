-- Rewards of a rollout's completions. A reward is a function of (row, completion) that gives a
-- number, or a table of named numbers; or several such functions, in a list or by name. Training
-- sees the weighted sum; the parts are kept for the log.

local apo = require "apo"
local documented, fail = require "apo.documented", require "apo.fail"
local rows_of_files, row_place = require "apo.rows", require "apo.data.row_place"
local reward_timeout, hook = require "apo.rewards.timeout", require "apo.script.hook"
local reward_memory, needs = require "apo.rewards.memory", require "apo.data.needs"
local last, received = require "apo.rewards.last", require "apo.script.received"

local largest = 3.4028234663852886e38  -- of float32, which rewards are as a tensor

local function describe(value)
  if type(value) == "string" then return ("the string %q"):format(value) end
  return tostring(value)
end

-- The row of a completion; the record itself for recorded ones without a row (apo.rollout).
local function row_of(completion) return completion.row or completion end

local function place(completion) return row_place(row_of(completion), completion.prompt) end

local function title(name)
  return name == "reward" and "the reward function" or ("reward '%s'"):format(name)
end

local function check(value, name, completion)
  if type(value) == "number" and value - value == 0 then return value end  -- not NaN, not infinite
  fail(("%s returned %s for %s; a reward must be a finite number"):format(
    title(name), describe(value), place(completion)))
end

-- A reward with the weight of its number. If a single function may return a number or a table, the
-- table's names have separate weights.
local function entry(name, call, weight, of_table)
  needs.check_called(call)
  local info = debug.getinfo(call, "S")
  return {
    name = name, call = call, weight = weight, of_table = of_table or weight, short = title(name),
    title = ("%s (%s:%d)"):format(title(name), info.short_src, info.linedefined),
    takes_state = info.source:sub(1, 6) ~= "=[apo]",
  }
end

-- The list of {name, function, weight, title}.
local function functions(reward, weights)
  if type(reward) == "function" then
    return {entry("reward", reward, weights.reward or weights[1] or 1, 1)}
  end
  local list = {}
  for key, call in pairs(reward) do
    local name = type(key) == "string" and key or "reward_" .. tostring(key)
    if type(call) ~= "function" then
      fail(("reward '%s' must be a function, got %s"):format(name, type(call)))
    end
    list[#list + 1] = entry(name, call, weights[key] or weights[name] or 1)
  end
  if #list == 0 then fail("the table of rewards is empty") end
  return list
end

-- The result of the function, within its time and memory limits.
local function call(reward, completion, options)
  local value
  local row = row_of(completion)
  local limits = {seconds = options.reward_timeout, memory = options.reward_bytes}
  local state = reward.takes_state and {options.state} or {}
  local index = rows_of_files.get(row)
  local stopped_by, at = hook.limited(function()
    value = reward.call(row, completion, table.unpack(state))
  end, limits, index and reward.title .. " for row " .. index or reward.title, function(problem)
    return hook.described(problem, "reward", reward.short, reward.call, place(completion))
  end)
  if not stopped_by then return value end
  local during = " for " .. place(completion)
  if stopped_by == "memory" then
    fail(("%s %s"):format(reward.title, hook.took_memory(limits.memory, during, at)))
  end
  fail(("%s took more than %g s%s and was stopped at %s; it may loop forever, or "
    .. "reward_timeout is too short"):format(reward.title, limits.seconds, during, at))
end

local function add_part(parts, name, value, completion)
  if type(name) ~= "string" then
    fail(("the reward function returned a table with the key %s for %s; its keys must be names")
      :format(describe(name), place(completion)))
  end
  if parts[name] then
    fail(("two rewards returned '%s' for %s; names must differ"):format(name, place(completion)))
  end
  parts[name] = check(value, name, completion)
end

-- The weighted reward of one completion; adds its parts, unweighted, to `parts`.
local function score_one(list, options, completion, parts)
  local total = 0
  for _, reward in ipairs(list) do
    local value = call(reward, completion, options)
    if type(value) == "table" then
      if next(value) == nil then
        fail(("%s returned an empty table for %s; a reward must be a finite number, or named ones")
          :format(title(reward.name), place(completion)))
      end
      for name, number in pairs(value) do
        add_part(parts, name, number, completion)
        total = total + reward.of_table * (options.weights[name] or 1) * number
      end
    else
      add_part(parts, reward.name, value, completion)
      total = total + reward.weight * value
    end
  end
  if math.abs(total) <= largest then return total end
  fail(("the reward of %s is %g with the weights; float32 holds at most 3.4e38"):format(
    place(completion), total))
end

local function check_weights(weights)
  for name, weight in pairs(weights) do
    if type(weight) ~= "number" or weight - weight ~= 0 then
      fail(("weights: the weight of '%s' must be a finite number, got %s"):format(
        tostring(name), describe(weight)))
    end
  end
end

-- The names of a table of numbers are known only after a call.
local function check_names(weights, list, parts)
  local known = {}
  for _, reward in ipairs(list) do known[reward.name] = true end
  for i = 1, #list do known[i] = true end
  for _, of_one in ipairs(parts) do
    for name in pairs(of_one) do known[name] = true end
  end
  for name in pairs(weights) do
    if not known[name] then fail(("weights: there is no reward '%s'"):format(tostring(name))) end
  end
end

-- Mean and (population) standard deviation of every part over the completions that have it.
local function statistics(parts)
  local values, result = {}, {}
  for _, of_one in ipairs(parts) do
    for name, value in pairs(of_one) do
      values[name] = values[name] or {}
      table.insert(values[name], value)
    end
  end
  for name, list in pairs(values) do
    local sum, squares = 0, 0
    for _, value in ipairs(list) do sum = sum + value end
    local mean = sum / #list
    for _, value in ipairs(list) do squares = squares + (value - mean) ^ 2 end
    result[name] = {mean = mean, std = math.sqrt(squares / #list)}
  end
  return result
end

return documented{
  name = "apo.score", summary = "Scores every completion of a rollout.",
  details = "`reward(row, completion)` returns a number or a table of named numbers. Pass "
    .. "several functions as a list or a table by name. The result is their weighted sum; "
    .. "weights default to 1. Anything but a finite number, or a non-empty table of them by "
    .. "name, is an error that names the row.",
  parameters = {
    {name = "rollout", type = "any", text = "an apo.Rollout, or a list of completions"},
    {name = "reward", type = "function or table", signature = received.reward,
     text = "one or several functions"},
  },
  options = {
    {name = "weights", type = "table", default = {}, text = "weights by name or position"},
    reward_timeout,
    {name = "state", type = "table", optional = true,
     text = "passed to the functions as third argument, such as the `state` of apo.train"},
    reward_memory.declared "a function",
  },
  returns = {
    {type = "apo.Tensor", text = "the rewards [B]"},
    {type = "table",
     text = "`rewards`, the same as a list; `parts`, each completion's named rewards; `means`, "
       .. "`{mean, std}` for each name"},
  },
  example = [[local r = apo.score(rollout, {correct = is_correct, short = is_short}, {
  weights = {short = 0.1},
})]],
  call = function(rollout, reward, options)
    check_weights(options.weights)
    options.reward_bytes = reward_memory.bytes(options.reward_memory)
    local list, rewards, parts = functions(reward, options.weights), {}, {}
    for i = 1, #rollout do
      parts[i] = {}
      rewards[i] = score_one(list, options, rollout[i], parts[i])
    end
    check_names(options.weights, list, parts)
    last[rollout] = rewards
    local details = {rewards = rewards, parts = parts, means = statistics(parts)}
    return apo.tensor(rewards), details
  end,
}
