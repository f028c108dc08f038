-- The tasks of examples/compare.lua. Each has a small model that sometimes succeeds, prompts to
-- train on, others to test on, and a reward. `seconds` is the time an algorithm gets to learn it,
-- including stage 1 of A*-PO; `rates` are the learning rates of the sweep and `batch_size` the
-- prompts per step, the same for all algorithms.
--
-- The number of prompts is such that a run takes about twenty epochs (the authors' take 25): stage
-- 1 is paid for once.
--
-- A task is a function of a table of folders: `examples` (this folder's parent), `work` (the
-- results of the comparison) and `shared` (the test data, which has the model stories260K).
local apo = require "apo"
local tasks = {}

-- Addition with carries, with the model of examples/pretrain.lua, which imitates a crowd of
-- solvers, 30 % of whom are right.
function tasks.addition(place)
  return {
    title = "Addition", rates = {1e-4, 3e-4, 1e-3}, seconds = 10, batch_size = 64, max_tokens = 6,
    temperature = 1, test_samples = 2,
    model = place.examples .. "models/arithmetic",
    train = apo.dataset(place.examples .. "data/arithmetic/train.jsonl"):take(512),
    test = apo.dataset(place.examples .. "data/arithmetic/test.jsonl"):take(256),
    reward = function(row, completion) return completion.text == row.answer and 1 or 0 end,
  }
end

-- Countdown with three numbers up to 20, with a model that compare/pretrain.lua trained on
-- solutions and guesses.
function tasks.countdown(place)
  local correct = apo.rewards.countdown{format_score = 0}
  return {
    title = "Countdown", rates = {5e-5, 1e-4, 2e-4}, seconds = 14, batch_size = 64, max_tokens = 12,
    temperature = 1, test_samples = 2,
    model = place.work .. "/countdown/model",
    train = apo.dataset(place.work .. "/countdown/train.jsonl"),
    test = apo.dataset(place.work .. "/countdown/test.jsonl"),
    -- in the form that the reward expects: an assistant's answer between tags
    reward = function(row, completion)
      return correct(row, {prompt = "Assistant:", text = "<answer>" .. completion.text
        .. "</answer>"})
    end,
  }
end

-- Stories with a named animal and a happy ending, with stories260K (Karpathy's tinyllamas), as in
-- examples/stories.lua.
local animals = " dog cat bird bunny rabbit duck fish frog fox bear mouse monkey elephant lion "
  .. "turtle squirrel pig owl "
local happy = {"happ", "smile", "laugh", "hug", "fun", "friends", "proud", "love"}

local function beginnings(places, kinds)
  local rows = {}
  for where in places:gmatch("[^,]+") do
    for kind in kinds:gmatch("%a+") do
      rows[#rows + 1] = {prompt = ("Once upon a time, %s, there was a %s"):format(where, kind)}
      rows[#rows + 1] = {prompt = ("One day, %s, there was a %s"):format(where, kind)}
    end
  end
  return apo.dataset(rows)
end

local function story_reward(_, completion)
  local text, named, ending = completion.prompt .. completion.text, 0, 0
  for kind in text:gmatch("(%l+) named %u%l+") do          -- "a dog named Max"
    if animals:find(" " .. kind .. " ", 1, true) then named = 1 end
  end
  local last = text:match('[.!?]"? ([^.!?]+[.!?]"?)[^.!?]*$') or ""  -- the last full sentence
  for _, word in ipairs(happy) do if last:find(word, 1, true) then ending = 1 end end
  return 0.5 * named + 0.5 * ending
end

function tasks.stories(place)
  return {
    title = "Stories", rates = {1e-4, 3e-4, 1e-3}, seconds = 14, batch_size = 32, max_tokens = 64,
    temperature = 0.8, test_samples = 3,
    model = place.shared .. "/fixtures/models/stories260K",
    train = beginnings("in a forest,near the sea,on a farm,in a big house,in the park,in a town,on "
      .. "a hill,in a cave",
      "small big brave funny sad kind little young"),
    test = beginnings("by a river,in the garden,far away,in a village", "little happy lazy pretty"),
    reward = story_reward,
  }
end

return tasks
