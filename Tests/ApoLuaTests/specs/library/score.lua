local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises

local data = apo.dataset{{prompt = "1+1=", answer = "2"}, {prompt = "a long prompt " .. ("x"):rep(80)}}
local rollout = {{text = "2", row = data[1]}, {text = "33", row = data[2]}}
local function right(row, completion) return completion.text == row.answer and 1 or 0 end
local function length(_, completion) return #completion.text end

local rewards, details = apo.score(rollout, right)
equal({rewards:totable(), details.rewards, details.parts}, {{1, 0}, {1, 0}, {{reward = 1}, {reward = 0}}})
equal(details.means, {reward = {mean = 0.5, std = 0.5}})

rewards, details = apo.score(rollout, {right = right, length = length}, {weights = {length = -0.5}})
equal(rewards:totable(), {0.5, -1})
equal(details.parts, {{right = 1, length = 1}, {right = 0, length = 2}})
equal(apo.score(rollout, {right, length}, {weights = {[2] = 10}}):totable(), {11, 20})
equal(apo.score(rollout, function() return {a = 1, b = 2} end, {weights = {b = 3}}):totable(), {7, 7})

local function giving(value) return function() return value end end
raises("the reward function returned nil for row 1 (prompt: 1+1=); a reward must be a finite number",
  apo.score, rollout, giving(nil))
raises('the reward function returned the string "1" for row 1', apo.score, rollout, giving("1"))
raises("returned inf for row 1", apo.score, rollout, giving(1 / 0))
raises("nan for row 1", apo.score, rollout, giving(0 / 0))
raises("the reward of row 1 (prompt: 1+1=) is 1e+39 with the weights; float32 holds at most 3.4e38",
  apo.score, rollout, giving(1e39))
raises("is inf with the weights", apo.score, rollout, {a = giving(1e308)}, {weights = {a = 1e308}})
equal(apo.score(rollout, {a = giving(1e39)}, {weights = {a = 1e-39}}):totable(), {1, 1})
raises("returned true for row 1", apo.score, rollout, giving(true))
raises("reward 'b' returned the string", apo.score, rollout, giving{a = 1, b = "x"})
raises("reward 'short' returned nil for row 1", apo.score, rollout, {short = giving(nil)})
raises("reward 'reward_2' must be a function, got number", apo.score, rollout, {right, 5})
raises("the table of rewards is empty", apo.score, rollout, {})
raises("weights: there is no reward 'lenth'", apo.score, rollout, {length = length},
  {weights = {lenth = 1}})
raises("(prompt: a long prompt " .. ("x"):rep(46) .. "…)", apo.score,
  {rollout[2]}, giving(nil))
raises("score.lua:39: boom", apo.score, rollout, function() error("boom") end)

-- Several rewards: a list has names of its own, weights go by position or name.
rewards, details = apo.score(rollout, {right, length}, {weights = {reward_1 = 4, [2] = 0.5}})
equal({rewards:totable(), details.means.reward_2.mean}, {{4.5, 1}, 1.5})
raises("weights: the weight of 'length' must be a finite number, got the string \"2\"", apo.score,
  rollout, {length = length}, {weights = {length = "2"}})
raises("two rewards returned 'a' for row 1 (prompt: 1+1=); names must differ", apo.score, rollout,
  {a = length, b = giving{a = 1}})

-- A reward that does not end is stopped, wherever it loops, and named.
local short = {reward_timeout = 0.02}
local function endless() while true do end end
local function stubborn() while true do pcall(endless) end end
local function woven() return coroutine.wrap(stubborn)() end
local path = debug.getinfo(1, "S").short_src
raises(("the reward function (%s:51) took more than 0.02 s for row 1 (prompt: 1+1=) and was stopped "
  .. "at %s:51; it may loop forever, or reward_timeout is too short"):format(path, path),
  apo.score, rollout, endless, short)
raises("reward 'slow' (score.lua:52) took more than 0.02 s for row 1", apo.score, rollout,
  {length = length, slow = stubborn}, short)
raises("(score.lua:53) took more than", apo.score, rollout, woven, short)
for _, reward in ipairs{endless, stubborn, woven} do
  equal(pcall(apo.score, rollout, reward, short), false)
end
equal(apo.score(rollout, right, short):totable(), {1, 0})
equal(apo.score(rollout, right, {reward_timeout = math.huge}):totable(), {1, 0})
equal(select(2, apo.system.time_limit(0.01, endless)), path .. ":51")
equal({apo.system.time_limit(5, function() end)}, {true})
raises("mine", apo.system.time_limit, 5, function() error("mine") end)

-- A table of named rewards has names, and one at least.
raises("the reward function returned an empty table for row 1 (prompt: 1+1=); a reward must be a finite number",
  apo.score, rollout, giving{})
raises("reward 'short' returned an empty table for row 1", apo.score, rollout, {short = giving{}})
raises("returned a table with the key 1 for row 1 (prompt: 1+1=); its keys must be names", apo.score, rollout, giving{0.5})
raises("returned a table with the key 1 for row 1", apo.score, rollout, {a = giving{a = 1, 2}})
