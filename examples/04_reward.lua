-- A reward is a function of a data row and a completion. It returns a number, or several named
-- ones.
local apo = require "apo"
apo.seed(1)
local here = arg[0]:match("^(.*/)") or ""

local model = apo.load(here .. "models/arithmetic")
local test  = apo.dataset(here .. "data/arithmetic/test.jsonl"):take(32)
print(test:info())

-- The function gets the columns of the file as they are. Named rewards are summed, with weights if
-- there are any.
local function reward(row, completion)
  local right, given = tonumber(row.answer), tonumber(completion.text)
  return {
    correct = given == right and 1 or 0,
    close   = given and math.abs(given - right) <= 10 and 1 or 0,
  }
end
local weights = {close = 0.2}

-- Score one rollout: the rewards as a tensor, and each named reward separately.
local rollout = model:generate(test:take(4), {max_tokens = 6})
local rewards, details = apo.score(rollout, reward, {weights = weights})
for i, completion in ipairs(rollout) do
  print(completion.prompt .. completion.text, "reward", rewards[i]:item(),
    "correct", details.parts[i].correct, "close", details.parts[i].close)
end

-- Evaluate a data set with several samples per prompt. pass_at[4] is the probability that at least
-- one of 4 samples is correct: has a reward of at least 0.5, the default of `correct`.
local result = apo.evaluate{
  model = model, data = test, reward = reward, weights = weights, n = 8, temperature = 1,
  max_tokens = 6,
}
print(("mean %.3f, correct %.3f, close %.3f, pass@1 %.3f, pass@4 %.3f"):format(
  result.mean, result.rewards.correct, result.rewards.close, result.pass_at[1], result.pass_at[4]))

-- A reward that returns no finite number is an error: here it forgets to return anything.
print(select(2, pcall(apo.score, rollout, function(_, completion)
  local _ = completion.text == "7"
end)))
