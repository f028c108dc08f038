-- Best of n, also called rejection sampling or RAFT (arXiv 2304.06767): sample n completions of
-- each prompt, and fine-tune on the best one if it is right.
local apo = require "apo"
apo.seed(1)
local examples = (arg[0]:match("^(.*/)") or "") .. "../"
local steps, dir, n = tonumber(arg[1]) or 60, arg[2] or "runs/best-of-n", 4

local policy    = apo.load(examples .. "models/arithmetic")
local optimizer = apo.optim.adamw(policy, {lr = 1e-4})
local train     = apo.dataset(examples .. "data/arithmetic/train.jsonl")
local function reward(row, completion) return completion.text == row.answer and 1 or 0 end

local run = apo.run{
  dir = dir, total = steps, data = train, batch_size = 32, epochs = 100,
  save = {policy, optimizer}, settings = {lr = 1e-4, n = n},
}
for _, rows in run:steps() do
  local rollout = policy:generate(rows, {n = n, max_tokens = 6})
  local rewards = apo.score(rollout, reward)
  local best = {}                                -- grouped by prompt: n in a row
  for first = 1, #rollout, n do
    local i = first + rewards:narrow(1, first, n):argmax():item() - 1
    if rewards[i]:item() > 0 then best[#best + 1] = rollout[i] end
  end
  run:log{reward = rewards:mean(), kept = #best / #rows}
  if #best > 0 then
    local loss = -policy:logprobs(apo.rollout(best)):mean()
    loss:backward()
    run:log{loss = loss, grad_norm = optimizer:step{max_grad_norm = 1}}
  end
end
print(("reward %.3f after %d steps"):format(run.metrics.reward, run.step))
