-- Shared by the scripts in this folder: a model that adds badly, its problems, the rewards of stage
-- 1, and settings for a run that takes seconds. `apo-lua examples/targets/mean.lua 24` trains for
-- 24 steps.
local apo = require "apo"
local examples = (arg[0]:match("^(.*/)") or "") .. "../"

local common = {steps = tonumber(arg[1]) or 24, longest = 6}
common.reference = apo.load(examples .. "models/arithmetic"):freeze()
common.policy    = common.reference:clone()
common.data      = apo.dataset(examples .. "data/arithmetic/train.jsonl"):take(256)
common.test      = apo.dataset(examples .. "data/arithmetic/test.jsonl"):take(128)

function common.reward(row, completion) return completion.text == row.answer and 1 or 0 end

-- Stage 1 with a model.
function common.estimate(model)
  return apo.estimate_values{
    model = model, data = common.data, reward = common.reward, n = 8, beta = 0.5,
    max_tokens = common.longest, seed = 7, quiet = true,
  }
end
common.values = common.estimate(common.reference)

local function accuracy()
  return apo.evaluate{
    model = common.policy, data = common.test, reward = common.reward, n = 4, temperature = 1,
    max_tokens = common.longest, quiet = true,
  }.mean
end

-- apo.train with these settings; what is passed is laid over them.
function common.train(options)
  local settings = {
    policy = common.policy, reference = common.reference, data = common.data,
    values = common.values, reward = common.reward, beta = 1e-3, lr = 2e-4, batch_size = 64,
    epochs = 100, max_steps = common.steps, max_tokens = common.longest, seed = 7, quiet = true,
  }
  for name, value in pairs(options) do settings[name] = value end
  local before = accuracy()
  local result = apo.train(settings)
  print(("accuracy %.3f, after %d steps %.3f"):format(before, result.steps, accuracy()))
  return result
end

return common
