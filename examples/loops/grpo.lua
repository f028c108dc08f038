-- GRPO (arXiv 2402.03300) by hand: groups of n completions, advantages normalised within the group,
-- one on-policy update. `algorithm = "grpo"` of apo.train does more.
local apo = require "apo"
apo.seed(1)
local examples = (arg[0]:match("^(.*/)") or "") .. "../"
local steps, dir, n = tonumber(arg[1]) or 60, arg[2] or "runs/grpo", 8

local policy    = apo.load(examples .. "models/arithmetic")
local optimizer = apo.optim.adamw(policy, {lr = 1e-4})
local train     = apo.dataset(examples .. "data/arithmetic/train.jsonl")
local test      = apo.dataset(examples .. "data/arithmetic/test.jsonl"):take(128)
local function reward(row, completion) return completion.text == row.answer and 1 or 0 end

local run = apo.run{
  dir = dir, total = steps, data = train, batch_size = 16, epochs = 100,
  save = {policy, optimizer}, settings = {lr = 1e-4, n = n}, keep = {best = "eval/reward"},
}
for step, rows in run:steps() do
  local rollout   = policy:generate(rows, {n = n, max_tokens = 6})
  local groups    = apo.score(rollout, reward):reshape(#rows, n)
  local centred   = groups - groups:mean(2):reshape(#rows, 1)
  local deviation = ((centred ^ 2):mean(2):reshape(#rows, 1) + 1e-8):sqrt()
  local advantage = (centred / deviation):reshape(#rows * n)
  local loss      = -(advantage * policy:logprobs(rollout)):mean()
  loss:backward()
  run:log{reward = groups:mean(), loss = loss, grad_norm = optimizer:step{max_grad_norm = 1}}
  if step % 20 == 0 then
    run:log_eval(apo.evaluate{
      model = policy, data = test, reward = reward, n = 4, temperature = 1, max_tokens = 6,
      quiet = true,
    })
  end
end
print(("reward %.3f after %d steps"):format(run.metrics.reward, run.step))
