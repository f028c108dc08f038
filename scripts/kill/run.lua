-- Both stages on a few rows, in a folder; goes on where a run of it was stopped. See scripts/kills.
local apo = require "apo"
local examples, dir = ...
apo.seed(7)
local policy = apo.load(examples .. "/models/arithmetic")
local data = apo.dataset(examples .. "/data/arithmetic/train.jsonl"):take(16)
local function reward(row, completion) return completion.text == row.answer and 1 or 0 end
local values = apo.estimate_values{
  model = policy:clone():freeze(), data = data, reward = reward, n = 2, batch_size = 4, max_tokens = 4,
  path = dir .. "/values.jsonl", quiet = true,
}
apo.train{
  policy = policy, data = data, values = values, reward = reward, lr = 1e-3, batch_size = 4,
  epochs = 2, max_tokens = 4, save_every = 2, keep = {last = 2, best = "eval/reward"}, dir = dir,
  eval = {data = data:take(4), every = 3, n = 4, temperature = 1},
  resume = apo.system.exists(dir .. "/run.json") ~= nil, quiet = true,
}
