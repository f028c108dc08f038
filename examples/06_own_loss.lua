-- A custom loss. The function gets tensors with one number per completion; b.logp is
-- differentiable, and whatever is computed from it costs one backward pass. Here REINFORCE with a
-- baseline (Williams 1992) replaces A*-PO's regression.
local apo = require "apo"
apo.seed(7)
local here = arg[0]:match("^(.*/)") or ""
local steps = tonumber(arg[1]) or 24

local policy = apo.load(here .. "models/arithmetic")
local train  = apo.dataset(here .. "data/arithmetic/train.jsonl"):take(512)
local test   = apo.dataset(here .. "data/arithmetic/test.jsonl"):take(128)

local function reward(row, completion) return completion.text == row.answer and 1 or 0 end

local function loss(b)
  local advantage = b.reward - b.reward:mean()
  return -(advantage * b.logp):mean()
end

local result = apo.train{
  policy = policy, data = train, reward = reward, loss = loss,
  lr = 2e-4, batch_size = 64, epochs = 100, max_steps = steps, max_tokens = 6, log_every = 8,
  eval = {data = test, every = steps, n = 4, temperature = 1},
}
print(("accuracy %.3f"):format(result.evaluation.mean))
