-- DPO (arXiv 2305.18290) on pairs from a JSON lines file: {"prompt":…,"chosen":…,"rejected":…}.
-- Without a file it makes pairs of right and wrong sums.
local apo = require "apo"
apo.seed(1)
local examples = (arg[0]:match("^(.*/)") or "") .. "../"
local steps, dir, path, beta = tonumber(arg[1]) or 60, arg[2] or "runs/dpo", arg[3], 0.1

local policy    = apo.load(examples .. "models/arithmetic")
local reference = policy:clone():freeze()
local optimizer = apo.optim.adamw(policy, {lr = 5e-5})
local pairs_of  = path and apo.dataset(path)
  or apo.dataset(examples .. "data/arithmetic/train.jsonl"):map(function(row)
    return {prompt = row.prompt, chosen = row.answer, rejected = tostring(row.answer - 10)}
  end)

-- ln(pi / pi_ref) of one column's texts, [B].
local function log_ratio(rows, column)
  local records = {}
  for i, row in ipairs(rows) do
    records[i] = {prompt = row.prompt, text = row[column], eos = true}
  end
  local rollout = apo.rollout(records)
  return policy:logprobs(rollout) - reference:logprobs(rollout)
end

local run = apo.run{
  dir = dir, total = steps, data = pairs_of, batch_size = 32, epochs = 100,
  save = {policy, optimizer}, settings = {lr = 5e-5, beta = beta},
}
for _, rows in run:steps() do
  local margin = beta * (log_ratio(rows, "chosen") - log_ratio(rows, "rejected"))
  local loss = (1 + (-margin):exp()):log():mean()          -- -ln sigmoid(margin)
  loss:backward()
  run:log{loss = loss, margin = margin:mean(), grad_norm = optimizer:step{max_grad_norm = 1}}
end
print(("margin %.3f after %d steps"):format(run.metrics.margin, run.step))
