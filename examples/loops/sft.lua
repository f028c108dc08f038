-- Supervised fine-tuning with early stopping: the loss on held-out rows decides when it ends and
-- which checkpoint is the best. apo-lua sft.lua [STEPS [FOLDER]]; run it again to resume.
local apo = require "apo"
apo.seed(1)
local examples = (arg[0]:match("^(.*/)") or "") .. "../"
local steps, dir = tonumber(arg[1]) or 200, arg[2] or "runs/sft"

local policy    = apo.load(examples .. "models/arithmetic")
local optimizer = apo.optim.adamw(policy, {lr = 1e-4})
local train     = apo.dataset(examples .. "data/arithmetic/train.jsonl")
local test      = apo.dataset(examples .. "data/arithmetic/test.jsonl"):take(128)

-- The negative log-likelihood of the answers.
local function loss(rows)
  local records = {}
  for i, row in ipairs(rows) do
    records[i] = {prompt = row.prompt, text = row.answer, eos = true}
  end
  return -policy:logprobs(apo.rollout(records)):mean()
end

local run = apo.run{
  dir = dir, resume = true, total = steps, data = train, batch_size = 64,
  epochs = 100, save = {policy, optimizer}, keep = {best = "eval/loss", mode = "min"},
  settings = {lr = 1e-4}, state = {best = math.huge, worse = 0},
}
for step, rows in run:steps() do
  local l = loss(rows)
  l:backward()
  run:log{loss = l, grad_norm = optimizer:step{max_grad_norm = 1}}
  if step % 20 == 0 then
    local held_out, state = apo.no_grad(function() return loss(test.rows) end):item(), run.state
    run:log_eval{loss = held_out}
    state.worse = held_out < state.best and 0 or state.worse + 1
    state.best  = math.min(state.best, held_out)
    if state.worse == 3 then run:stop "the held-out loss no longer falls" end
  end
end
print(("best held-out loss %.3f in %s"):format(run.state.best, run:best_checkpoint()))
