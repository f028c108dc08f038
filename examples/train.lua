-- Both stages of A*-PO on a small language model that adds badly, in about half a minute on two
-- cores.
--
-- The model imitates a crowd of solvers, 30 % of whom are right (examples/pretrain.lua made it).
-- Stage 1 samples 8 answers per problem to estimate how well the model does on each; stage 2
-- samples one answer per problem and regresses beta ln(policy / reference) on reward - value.
-- Change what you like and run it again: apo-lua examples/train.lua
local apo = require "apo"
apo.seed(7)
local here = arg[0]:match("^(.*/)") or ""

local policy    = apo.load(here .. "models/arithmetic")
local reference = policy:clone():freeze()
local train     = apo.dataset(here .. "data/arithmetic/train.jsonl")
local test      = apo.dataset(here .. "data/arithmetic/test.jsonl")

local function reward(row, completion)                     -- a number per completion
  return completion.text == row.answer and 1 or 0
end

local function show(title)
  print(title)
  for _, answer in ipairs(policy:generate(test:take(8), {max_tokens = 6, seed = 4, step = 0})) do
    local right = answer.text == answer.row.answer and "right" or "wrong, " .. answer.row.answer
    print(("  %s%-5s %s"):format(answer.prompt, answer.text, right))
  end
end

show("Sampled answers before:")

local values = apo.estimate_values{                        -- stage 1
  model = reference, data = train, reward = reward, n = 8, beta = 0.5, max_tokens = 6,
  path = "runs/arithmetic-values.jsonl",                   -- kept and reused by the next run
}
print(values)

local result = apo.train{                                  -- stage 2
  policy = policy, reference = reference, data = train, values = values, reward = reward,
  target = function(s) return s.reward - s.value end,      -- the optimal advantage; change it here
  beta = 1e-3, lr = 2e-4, batch_size = 128, epochs = 8, max_tokens = 6,
  eval = {data = test, every = 32, n = 4, temperature = 1},
  dir = arg[1] or "runs/arithmetic-" .. os.date("%Y%m%d-%H%M%S"), log_every = 8,
}

show("Sampled answers after:")
print(("\nSampled accuracy on %d new problems: %.3f. Report: %s/report.html"):format(
  #test, result.evaluation.mean, result.dir))
