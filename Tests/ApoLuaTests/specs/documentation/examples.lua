-- Runs the examples of the reference, each by itself, with the names that they take for granted.
local apo = require "apo"
apo.seed(7)

local function write(path, row)
  local file <close> = assert(io.open(path, "w"))
  file:write(apo.json.encode(row), "\n")
end
write("gsm8k.jsonl", {question = "What is 1 + 1?", answer = "#### 2"})
write("data.jsonl", {prompt = "1+1="})

local policy = apo.load("models/arithmetic")
local model, reference = policy:clone(), policy:clone():freeze()
local train, test = apo.dataset("data/train.jsonl"):take(8), apo.dataset("data/test.jsonl"):take(4)
local function reward(row, completion) return completion.text == row.answer and 1 or 0 end
local rows = {train[1], train[2], train[3]}
local rollout = policy:generate(rows, {max_tokens = 4})
local names = {
  apo = apo, help = apo.help, policy = policy, model = model, reference = reference,
  train = train, test = test, reward = reward, is_correct = reward, is_short = reward,
  rows = rows, rollout = rollout, optimizer = apo.optim.adamw(model, {lr = 1e-3}),
  values = apo.estimate_values{model = reference, data = train, reward = reward, n = 2,
                               max_tokens = 4, quiet = true},
  target = apo.tensor{0, 1, 0}, ratio = apo.rand(3), t = apo.rand(4),
}

local function example(line, text)
  text = text:gsub("max_tokens = %d+", "max_tokens = 4")  -- the context of the model is small
  names.logp = policy:logprobs(rollout);
  (-model:logprobs(rollout):mean()):backward()            -- for the optimizer
  local environment = setmetatable({}, {
    __index = function(_, name) return names[name] or _G[name] end,
  })
  local place = ("@reference.md, line %d"):format(line)
  local chunk = load("return " .. text, place, "t", environment)
    or assert(load(text, place, "t", environment))
  chunk()
end

