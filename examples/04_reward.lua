-- A reward is a function of a row of the data and a completion that gives a number, or several
-- named ones.
local apo = require "apo"
apo.seed(1)
local here = arg[0]:match("^(.*/)") or ""

local model = apo.load(here .. "models/arithmetic")
local test  = apo.dataset(here .. "data/arithmetic/test.jsonl"):take(32)
print(test:info())

-- Columns of the file reach the function as they are. The parts are summed, with weights if there
-- are any.
local function reward(row, completion)
  local right, given = tonumber(row.answer), tonumber(completion.text)
  return {
    correct = given == right and 1 or 0,
    close   = given and math.abs(given - right) <= 10 and 1 or 0,
  }
end
local weights = {close = 0.2}

-- One rollout: rewards as a tensor, the parts beside them.
local rollout = model:generate(test:take(4), {max_tokens = 6})
local rewards, details = apo.score(rollout, reward, {weights = weights})
for i, completion in ipairs(rollout) do
  print(completion.prompt .. completion.text, "reward", rewards[i]:item(),
    "correct", details.parts[i].correct, "close", details.parts[i].close)
end

-- A whole data set, several samples each: pass_at[4] is the chance that one of 4 is correct:
-- that it earns half a point or more, as `correct` is not given.
local result = apo.evaluate{
  model = model, data = test, reward = reward, weights = weights, n = 8, temperature = 1,
  max_tokens = 6,
}
print(("mean %.3f, correct %.3f, close %.3f, pass@1 %.3f, pass@4 %.3f"):format(
  result.mean, result.rewards.correct, result.rewards.close, result.pass_at[1], result.pass_at[4]))

-- What is not a finite number stops the script: here the reward forgets to return anything.
print(select(2, pcall(apo.score, rollout, function(_, completion)
  local _ = completion.text == "7"
end)))
